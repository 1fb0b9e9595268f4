import * as z from 'zod';
import type { VaultDocument } from '../../../admin/vault/index.ts';
import { type CommandInput, type OptionSpec, UsageError } from '../../common/command.ts';
import { RUN_OPTIONS } from '../run-options.ts';

/** Options by which infrastructure's admin has the quorum sign, as a client of the vault. */
export const CLIENT_OPTIONS = {
  client: {
    type: 'string',
    value: 'ID',
    description: 'infrastructure: client of the vault as which you see the nodes, and have the quorum sign',
  },
  key: { type: 'string', value: 'PEM', description: 'Ed25519 private key of --client (PKCS #8)' },
  'sign-key': {
    type: 'string',
    value: 'KEYID',
    description: 'key of the quorum by which it signs a message, as proof that it signs with each node',
  },
} as const satisfies Readonly<Record<string, OptionSpec>>;

const TO_OPTION = {
  to: { type: 'string', value: 'VERSION', description: 'the release to go to, as "vault fetch" has left it' },
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** Options of a run that goes forward. */
export const UPGRADE_OPTIONS = {
  ...RUN_OPTIONS,
  to: { ...TO_OPTION.to, required: true },
  until: {
    type: 'string',
    value: 'DAY',
    description: 'until when the old image stays admitted, within 30 days; for the first run of a node admin',
  },
  rebuilt: {
    type: 'boolean',
    description: 'say that you have rebuilt the image (default: what "vault fetch --rebuild" has recorded)',
  },
  canary: {
    type: 'string',
    value: 'NODE',
    description: 'infrastructure: the node that goes first (default: 1); later runs keep to it',
  },
  ...CLIENT_OPTIONS,
} as const satisfies Readonly<Record<string, OptionSpec>>;

/** Options of a run that goes back, or on after a stop: which upgrade it is about, the statements say. */
export const LATER_OPTIONS = { ...RUN_OPTIONS, ...CLIENT_OPTIONS } as const;

const momentSchema = z.union([z.iso.date(), z.iso.datetime({ offset: true })]);

/** Reads the end of an overlap: a time, or a day, at whose beginning in UTC it is. @throws UsageError */
export function readUntil({ text }: Pick<CommandInput, 'text'>): number | undefined {
  const value = text('until');
  if (value === undefined) return undefined;
  const time = momentSchema.safeParse(value).success ? Date.parse(value) : Number.NaN;
  if (!Number.isFinite(time))
    throw new UsageError('--until is a day or a time in RFC 3339: 2027-01-31, 2027-01-31T12:00:00Z');
  // Statements have whole seconds.
  return Math.floor(time / 1000) * 1000;
}

/** Reads the number of the node that goes first. @throws UsageError for one that the vault does not have */
export function readCanary(
  { text }: Pick<CommandInput, 'text'>,
  { nodes }: VaultDocument,
): number | undefined {
  const value = text('canary');
  if (value === undefined) return undefined;
  const found = nodes.find(({ node }) => String(node) === value);
  if (found === undefined)
    throw new UsageError(`--canary is a node of the vault: ${nodes.map(({ node }) => node).join(', ')}`);
  return found.node;
}

/** Reads the release that nodes shall run. @throws UsageError for text that is no version */
export function readVersion({ text }: Pick<CommandInput, 'text'>): string | undefined {
  const value = text('to');
  if (value === undefined || /^[0-9A-Za-z][0-9A-Za-z.+-]{0,63}$/.test(value)) return value;
  throw new UsageError('--to is the version of a release: 1.5.0');
}
