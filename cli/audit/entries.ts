import { parseEntry, PREDICATE_TYPES, ReceiptError, type Entry } from '../../audit/receipt/index.ts';
import { CliError } from '../common/errors.ts';
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
  if (entry.predicateType === PREDICATE_TYPES.boot && entry.predicate.origin !== origin) {
    throw new CliError('LOG_ENTRY_WRONG', 'the boot entry says another log', {
      index,
      expected: origin,
      actual: entry.predicate.origin,
    });
  }
  return entry;
}

/** Type of an entry in one word: decision, boot or vote. */
export function typeOf({ predicateType }: Entry): keyof typeof PREDICATE_TYPES {
  if (predicateType === PREDICATE_TYPES.boot) return 'boot';
  return predicateType === PREDICATE_TYPES.vote ? 'vote' : 'decision';
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
  const { request, outcome, code, rule, failure, transaction, pendingId } = entry.predicate;
  const what = transaction === null ? (request.payload ?? 'no payload') : transaction.kind;
  const why = outcome === 'denied' ? String(code) : `by rule ${String(rule)}`;
  const waiting = outcome === 'pending' ? `, waits as ${String(pendingId)}` : '';
  const failed = failure === null ? '' : `, failed with ${failure}`;
  return `${request.client} asks ${request.operation} of ${request.key}, ${what}: ${outcome} ${why}${waiting}${failed}`;
}

/** Describes the bytes of an entry that is no statement: a digest tells no secrets and draws nothing on a terminal. */
export function describeBytes(index: number, bytes: Uint8Array): string {
  return `${index} ${bytes.length} bytes: ${printable(Buffer.from(bytes.subarray(0, 80)).toString('utf8'))}`;
}
