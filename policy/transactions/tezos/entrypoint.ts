import { TransactionError } from '../errors.ts';
import { type Codec, dynamic, option, record, rest } from './codec.ts';
import { MAX_ENTRYPOINT_LENGTH } from './limits.ts';
import { isUnit, type Micheline, micheline, UNIT } from './micheline.ts';

export const DEFAULT_ENTRYPOINT = 'default';

/** Entrypoints that a transaction names by a tag (Octez: `Entrypoint_repr`, protocol 025). */
const TAGGED = [
  DEFAULT_ENTRYPOINT,
  'root',
  'do',
  'set_delegate',
  'remove_delegate',
  'deposit',
  'stake',
  'unstake',
  'finalize_unstake',
  'set_delegate_parameters',
];
const NAMED = 0xff;
/** Characters of an annotation, without a `%` in front. */
const ENTRYPOINT = /^[_0-9a-zA-Z][_0-9a-zA-Z.%@]*$/;

const name: Codec<string> = {
  read: (reader) => {
    const found = Array.from(rest.read(reader), (byte) => String.fromCharCode(byte)).join('');
    if (found.length <= MAX_ENTRYPOINT_LENGTH && ENTRYPOINT.test(found)) return found;
    throw new TransactionError('TRANSACTION_MALFORMED', 'no entrypoint can have this name', {
      length: found.length,
      maximum: MAX_ENTRYPOINT_LENGTH,
    });
  },
  write: (writer, value) => writer.append(Uint8Array.from(value, (character) => character.charCodeAt(0))),
};
const shortName = dynamic(name, 1);

/** Entrypoint of a ticket's destination: always written out. */
export const longEntrypoint = dynamic(name);

const entrypoint: Codec<string> = {
  read: (reader) => {
    const tag = reader.unsigned(1);
    if (tag === NAMED) return shortName.read(reader);
    const found = TAGGED[tag];
    if (found !== undefined) return found;
    throw new TransactionError('TRANSACTION_MALFORMED', 'no entrypoint has this tag', { found: tag });
  },
  write: (writer, value) => {
    const tag = TAGGED.indexOf(value);
    writer.unsigned(1, tag < 0 ? NAMED : tag);
    if (tag < 0) shortName.write(writer, value);
  },
};

export interface Parameters {
  readonly entrypoint: string;
  readonly value: Micheline;
}

const written = option(
  record<{ entrypoint: string; value: Micheline }>({ entrypoint, value: dynamic(micheline) }),
);

/** What a transaction calls. The default entrypoint with unit is not written, and has no other encoding. */
export const parameters: Codec<Parameters> = {
  read: (reader) => written.read(reader) ?? { entrypoint: DEFAULT_ENTRYPOINT, value: UNIT },
  write: (writer, value) => {
    const isDefault = value.entrypoint === DEFAULT_ENTRYPOINT && isUnit(value.value);
    written.write(writer, isDefault ? undefined : value);
  },
};
