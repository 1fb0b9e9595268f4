import {
  type Algorithm,
  ALGORITHMS,
  algorithmSchema,
  describeAlgorithm,
  type KeyType,
} from '../../shared/algorithms.ts';
import {
  DIGEST_BYTES,
  MAX_MESSAGE_BYTES,
  MAX_PSBT_BYTES,
  type Payload,
  transactionPayloadSchema,
} from '../../shared/api/bodies.ts';
import { decodeHexOrBase64 } from '../../attestation/file-encoding.ts';
import { CliError } from '../common/errors.ts';
import { type CommandInput, type OptionSpec, readInput, UsageError } from '../common/command.ts';

/** Options for the payload to sign, of which exactly one is given. */
export const PAYLOAD_OPTIONS = {
  message: { type: 'string', value: 'HEX', description: 'a message, which the algorithm hashes itself' },
  'message-file': {
    type: 'string',
    value: 'FILE',
    description: 'the same, from a file; - is standard input',
  },
  digest: {
    type: 'string',
    value: 'HEX',
    description: 'what you have hashed: 32 bytes; 48 or 64 where the algorithm says so',
  },
  'taproot-sighash': {
    type: 'string',
    value: 'HEX',
    description: 'a BIP-341 signature hash, signed with the output key',
  },
  'merkle-root': {
    type: 'string',
    value: 'HEX',
    description: 'of the script tree, for --taproot-sighash (default: no scripts)',
  },
  transaction: {
    type: 'string',
    value: 'FILE',
    description:
      'an unsigned transaction, which the node reads itself: binary, hex or base64, JSON for typed data; - is standard input',
  },
  kind: {
    type: 'string',
    value: 'KIND',
    description: `of --transaction: ${transactionPayloadSchema.options.map(({ shape }) => shape.kind.value).join(', ')}`,
  },
  algorithm: {
    type: 'string',
    value: 'NAME',
    description: `${ALGORITHMS.join(', ')} (default: the key's; ECDSA for digests with secp256k1)`,
  },
} as const satisfies Record<string, OptionSpec>;

/** Reads the payload. @throws UsageError for none, several, or one that is no hex */
export async function readPayload({ text, io }: CommandInput): Promise<Payload> {
  const names = (['message', 'message-file', 'digest', 'taproot-sighash', 'transaction'] as const).filter(
    (option) => text(option) !== undefined,
  );
  const [name] = names;
  if (name === undefined || names.length > 1) {
    throw new UsageError(
      'one of --message, --message-file, --digest, --taproot-sighash and --transaction is needed',
    );
  }
  const value = text(name) ?? '';
  const merkleRoot = text('merkle-root');
  if (merkleRoot !== undefined && name !== 'taproot-sighash') {
    throw new UsageError('--merkle-root goes with --taproot-sighash');
  }
  const kind = text('kind');
  if ((kind !== undefined) !== (name === 'transaction')) {
    throw new UsageError('--kind goes with --transaction, and --transaction needs it');
  }
  switch (name) {
    case 'message':
      return { kind: 'message', message: readHex(value, '--message', 0, MAX_MESSAGE_BYTES) };
    case 'message-file': {
      const bytes = await readInput(value, io, MAX_MESSAGE_BYTES);
      return { kind: 'message', message: Buffer.from(bytes).toString('hex') };
    }
    case 'digest':
      return { kind: 'digest', digest: readDigest(value) };
    case 'taproot-sighash':
      return {
        kind: 'taproot-sighash',
        digest: readHex(value, '--taproot-sighash', 32, 32),
        merkleRoot: merkleRoot === undefined ? '' : readHex(merkleRoot, '--merkle-root', 32, 32),
      };
    case 'transaction':
      return toPayload(kind ?? '', await readInput(value, io, MAX_FILE_BYTES));
    default:
      throw new UsageError('nothing to sign');
  }
}

/** Longest file of a transaction in bytes: the longest PSBT in hex, and a line's end. */
const MAX_FILE_BYTES = 2 * MAX_PSBT_BYTES + 2;
/** The member of a payload that holds its bytes, by kind; the rest holds text. */
const HEX_MEMBERS: Readonly<Record<string, string>> = {
  'ethereum-transaction': 'transaction',
  'ethereum-authorization': 'authorization',
  'ethereum-message': 'message',
  'tezos-operation': 'operation',
  'tezos-consensus': 'operation',
  'tezos-data': 'data',
  'tezos-proof-of-possession': 'publicKey',
  'solana-transaction': 'message',
};

/** Makes a payload of the content of a file. @throws UsageError for an unknown kind; CliError PAYLOAD_FILE_MALFORMED */
function toPayload(kind: string, file: Uint8Array): Payload {
  const parsed = transactionPayloadSchema.safeParse({ kind, ...readMember(kind, file) });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  if (issue?.path[0] === 'kind') throw new UsageError('--kind is none that a node reads: see --help');
  throw new CliError('PAYLOAD_FILE_MALFORMED', `--transaction is no ${kind}`, {
    kind,
    field: issue?.path.join('.'),
    problem: issue?.message,
  });
}

function readMember(kind: string, file: Uint8Array): Record<string, string> {
  if (kind === 'ethereum-typed-data') {
    return { document: new TextDecoder('utf-8', { fatal: false, ignoreBOM: true }).decode(file) };
  }
  const bytes = decodeFile(kind, file);
  if (kind === 'bitcoin-transaction') return { psbt: Buffer.from(bytes).toString('base64') };
  const member = HEX_MEMBERS[kind];
  return member === undefined ? {} : { [member]: Buffer.from(bytes).toString('hex') };
}

/** Decodes a file of hex, of base64, or of the bytes themselves; a message for people (EIP-191) is its bytes alone. */
function decodeFile(kind: string, file: Uint8Array): Uint8Array {
  if (kind === 'ethereum-message') return file;
  const text = new TextDecoder('latin1').decode(file);
  const digits = text.replace(/\s/g, '').replace(/^0x/, '');
  const isText = /^[\x20-\x7e\r\n\t]+$/.test(text);
  return (isText ? decodeHexOrBase64(digits) : undefined) ?? file;
}

/** Reads the algorithm that was named; undefined when the key shall decide. @throws UsageError */
export function readAlgorithm(name: string | undefined): Algorithm | undefined {
  if (name === undefined) return undefined;
  const parsed = algorithmSchema.safeParse(name);
  if (!parsed.success) throw new UsageError(`--algorithm is one of ${ALGORITHMS.join(', ')}`);
  return parsed.data;
}

/** Chooses the first algorithm of a type of key that takes such a payload. */
export function chooseAlgorithm(type: KeyType, kind: Payload['kind']): Algorithm | undefined {
  return ALGORITHMS.find((algorithm) => {
    const { keys, payloads } = describeAlgorithm(algorithm);
    return keys.includes(type) && payloads.includes(kind);
  });
}

function readDigest(text: string): string {
  const hex = readHex(text, '--digest', 32, 64);
  if (!DIGEST_BYTES.includes(hex.length / 2)) throw new UsageError('--digest is 32, 48 or 64 bytes in hex');
  return hex;
}

function readHex(text: string, option: string, minimum: number, maximum: number): string {
  const hex = text.replace(/^0x/, '').toLowerCase();
  const length = hex.length / 2;
  if (!/^(?:[0-9a-f]{2})*$/.test(hex) || length < minimum || length > maximum) {
    const size = minimum === maximum ? `${minimum} bytes` : `up to ${maximum} bytes`;
    throw new UsageError(`${option} is ${size} in hex`);
  }
  return hex;
}
