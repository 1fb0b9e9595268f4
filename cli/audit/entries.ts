import {
  type BootPredicate,
  type Entry,
  parseEntry,
  PREDICATE_TYPES,
  ReceiptError,
} from '../../audit/receipt/index.ts';
import { CliError } from '../common/errors.ts';
import { describePoolKey } from '../common/pool-key.ts';
import { printable } from '../common/printable.ts';

/**
 * Reads an entry of a node's log, which must say its own place.
 *
 * @throws CliError LOG_ENTRY_WRONG
 */
export function readStatement(index: number, bytes: Uint8Array, origin: string): Entry {
  let entry: Entry;
  try {
    entry = parseEntry(bytes);
  } catch (error) {
    if (!(error instanceof ReceiptError)) throw error;
    throw new CliError('LOG_ENTRY_WRONG', 'the entry is no statement of a node', { index }, error);
  }
  const { predicate } = entry;
  if (predicate.sequence !== index) {
    throw new CliError('LOG_ENTRY_WRONG', 'the entry says another place in the log', {
      expected: index,
      actual: predicate.sequence,
    });
  }
  if (entry.predicateType === PREDICATE_TYPES.boot) assertBoot(index, entry.predicate, origin);
  return entry;
}

/** Asserts that a start was one of this log, and at this place: what the sealed store had is all that lies before it. */
function assertBoot(index: number, { origin, previousSize }: BootPredicate, expected: string): void {
  if (origin !== expected) {
    throw new CliError('LOG_ENTRY_WRONG', 'the boot entry says another log', {
      index,
      expected,
      actual: origin,
    });
  }
  if (previousSize !== index) {
    throw new CliError('LOG_ENTRY_WRONG', 'the boot entry says another size of the log before it', {
      index,
      expected: index,
      actual: previousSize,
    });
  }
}

const TYPES = Object.keys(PREDICATE_TYPES) as (keyof typeof PREDICATE_TYPES)[];

/** Type of an entry in one word: decision, boot, vote, cosignature or ceremony. */
export function typeOf({ predicateType }: Entry): keyof typeof PREDICATE_TYPES {
  return TYPES.find((type) => PREDICATE_TYPES[type] === predicateType) ?? 'decision';
}

/** Describes an entry in one line. */
export function describeEntry(entry: Entry): string {
  const { sequence, time } = entry.predicate;
  return `${sequence} ${time} ${printable(wordsOf(entry))}`;
}

function wordsOf(entry: Entry): string {
  if (entry.predicateType === PREDICATE_TYPES.boot) {
    const { node, configuration, previousSize } = entry.predicate;
    return `start of ${node.namespace}/${node.environment} node ${node.index}, configuration ${configuration.version}, after ${previousSize} entries`;
  }
  if (entry.predicateType === PREDICATE_TYPES.vote) {
    const { approval, pendingId } = entry.predicate;
    return `${approval.approver} says ${approval.decision} to request ${pendingId}`;
  }
  if (entry.predicateType === PREDICATE_TYPES.cosignature) {
    const { origin, size, root } = entry.predicate;
    return `cosigned ${origin} with ${size} entries, root ${root}`;
  }
  if (entry.predicateType === PREDICATE_TYPES.ceremony) {
    const [transcript] = entry.subject;
    const { operation, holders, threshold, keys } = entry.predicate;
    const epochs = keys.map(({ key, epoch }) => `${key} epoch ${epoch}`).join(', ');
    return `confirms ${operation} of ${epochs}, ${threshold} of nodes ${holders.join(', ')}, transcript ${transcript.digest.sha256}`;
  }
  const { request, outcome, code, rule, failure, transaction, pendingId } = entry.predicate;
  const ofPool = request.poolKey === undefined ? '' : ` (${describePoolKey(request.poolKey)})`;
  const what = transaction === null ? (request.payload ?? 'no payload') : transaction.kind;
  const why = outcome === 'denied' ? String(code) : `by rule ${String(rule)}`;
  const waiting = outcome === 'pending' ? `, waits as ${String(pendingId)}` : '';
  const failed = failure === null ? '' : `, failed with ${failure}`;
  return `${request.client} asks ${request.operation} of ${request.key}${ofPool}, ${what}: ${outcome} ${why}${waiting}${failed}`;
}

/** Describes the bytes of an entry that is no statement: a digest tells no secrets and draws nothing on a terminal. */
export function describeBytes(index: number, bytes: Uint8Array): string {
  return `${index} ${bytes.length} bytes: ${printable(Buffer.from(bytes.subarray(0, 80)).toString('utf8'))}`;
}
