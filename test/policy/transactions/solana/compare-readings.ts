import { type AgaveReading, isRefusal, type Reading, readKit, readOurs } from './peers/readers.ts';
import { tryDecode } from './support.ts';

/** What Agave itself takes and we refuse on purpose, and how that shows in a message that Agave has read. */
const isRefusedOnPurpose: Readonly<Record<string, (reading: AgaveReading, message: Uint8Array) => boolean>> =
  {
    TRANSACTION_UNSUPPORTED: ({ version }) => version === 1,
    TRANSACTION_UNSAFE: ({ duplicates }) => duplicates,
    TRANSACTION_TOO_LARGE: ({ header: [signers = 0], instructions }, { length }) =>
      1 + 64 * signers + length > 1232 || instructions.length > 64,
  };

/**
 * Says in what our reading of a message differs from those of others; undefined where it does not. What we take, all of
 * them take, and read alike; what Agave takes, we take but for what is refused on purpose.
 */
export function findDifference(
  message: Uint8Array,
  agave: object | undefined,
  solders: object | undefined,
): string | undefined {
  const ours = readOurs(message);
  const decoded = tryDecode(message);
  if (isRefusal(ours)) {
    if (typeof decoded !== 'string') return 'decoded, and not parsed';
    if (agave === undefined || isRefusal(agave)) return undefined;
    const read = agave as AgaveReading;
    const isOnPurpose = isRefusedOnPurpose[ours.refused]?.(read, message) ?? false;
    return isOnPurpose ? undefined : `Agave takes what is refused with ${ours.refused}`;
  }
  if (typeof decoded !== 'string') {
    const [signing] = decoded.signings;
    const isSame = signing?.input.kind === 'message' && Buffer.from(signing.input.message).equals(message);
    if (!isSame) return 'other bytes are signed';
  }
  const others: [string, object | undefined][] = [
    ['kit', readKit(message)],
    ['Agave', agave],
    ['solders', solders],
  ];
  for (const [name, theirs] of others) {
    if (theirs === undefined) continue;
    if (isRefusal(theirs)) return `${name} refuses: ${theirs.refused}`;
    const difference = compare(ours, theirs as Reading);
    if (difference !== undefined) return `${name} reads other ${difference}`;
  }
  if (agave === undefined) return undefined;
  const { encoded, duplicates } = agave as AgaveReading;
  if (encoded !== Buffer.from(message).toString('hex')) return 'Agave writes other bytes';
  return duplicates ? 'Agave sees an account twice' : undefined;
}

function compare(ours: Reading, theirs: Reading): string | undefined {
  const fields = ['version', 'header', 'keys', 'lifetime', 'instructions'] as const;
  const tables = theirs.tables === undefined ? [] : (['tables'] as const);
  return [...fields, ...tables].find(
    (field) => JSON.stringify(ours[field]) !== JSON.stringify(theirs[field]),
  );
}
