import type { VerifiedDocument } from '../../attestation/index.ts';
import { describeTrustAnchor } from '../../attestation/index.ts';
import type { Entry, ReceiptNode, VerifiedReceipt } from '../../audit/receipt/index.ts';
import { PREDICATE_TYPES } from '../../audit/receipt/index.ts';
import { describePoolKey } from '../common/pool-key.ts';
import { printable } from '../common/printable.ts';

const isoTime = (milliseconds: number) => new Date(milliseconds).toISOString();
const line = (name: string, value: string) => `  ${name.padEnd(14)} ${value}`;

/** Describes an entry for people, in lines. */
export function describeEntry(entry: Entry): string[] {
  const { predicate } = entry;
  const common = [
    line('at', `${predicate.time}, entry ${predicate.sequence} of the log`),
    line('configuration', `version ${predicate.configuration.version}`),
  ];
  if (entry.predicateType === PREDICATE_TYPES.boot) return ['start of the node', ...common];
  if (entry.predicateType === PREDICATE_TYPES.vote) {
    const { approver, decision } = entry.predicate.approval;
    return [`${decision} by ${approver}, of request ${entry.predicate.pendingId}`, ...common];
  }
  if (entry.predicateType === PREDICATE_TYPES.cosignature) {
    const { origin, size } = entry.predicate;
    return [`cosignature for ${printable(origin)} with ${size} entries`, ...common];
  }
  if (entry.predicateType === PREDICATE_TYPES.ceremony) {
    const { operation, id, keys } = entry.predicate;
    return [
      `${operation} ${id}: ${keys.map(({ key, epoch }) => `${key} epoch ${epoch}`).join(', ')}`,
      ...common,
    ];
  }
  const { outcome, code, rule, request, transaction, reasons, needs, failure, signatures } = entry.predicate;
  return [
    [
      outcome,
      ...(code === null ? [] : [code]),
      ...(rule === null ? [] : [`by rule ${rule}`]),
      ...(failure === null ? [] : [`and failed: ${failure}`]),
    ].join(' '),
    line(
      'request',
      `${request.operation} ${request.payload ?? ''} by ${request.client} with ${request.poolKey === undefined ? 'key' : 'pool'} ${request.key}`,
    ),
    ...(request.poolKey === undefined ? [] : [line('key of the pool', describePoolKey(request.poolKey))]),
    ...(transaction?.effects ?? []).map(({ type, to, amount, asset }) =>
      line(
        'effect',
        printable([type, amount, asset, to === null ? null : `to ${to}`].filter(Boolean).join(' ')),
      ),
    ),
    ...(transaction === null || transaction.fee === null
      ? []
      : [line('fee at most', printable(`${transaction.fee.amount} ${transaction.fee.asset}`))]),
    ...(transaction?.features ?? []).map((feature) => line('unusual', printable(feature))),
    ...reasons.map(({ rule, words }) =>
      line('reason', printable(rule === null ? words : `${rule}: ${words}`)),
    ),
    ...needs.map(({ rule, words }) => line('needs', printable(`${rule}: ${words}`))),
    ...common,
    line('signatures', String(signatures.length)),
  ];
}

/** Describes a verified receipt: what it shows, and what nobody has compared. */
export function describeVerified(
  { entry, isOfSameBoot, inclusion, witnesses, consents }: VerifiedReceipt,
  node: ReceiptNode,
  document: VerifiedDocument,
  nodeName: string,
): { text: string; data: Record<string, unknown> } {
  const approvals = entry.predicateType === PREDICATE_TYPES.decision ? entry.predicate.approvals.length : 0;
  const anchor = describeTrustAnchor(document);
  return {
    text: [
      ...describeEntry(entry),
      line('node', nodeName),
      line(
        'image',
        isOfSameBoot ? 'the one of pcr.json' : 'WARNING: not shown, the document is of another boot',
      ),
      line('document', `of ${isoTime(document.timestamp)}, under ${printable(anchor.name)}`),
      ...(consents ?? []).map(({ approver, decision, credential }) =>
        line('consent', `${decision} by ${approver}, verified (${credential})`),
      ),
      ...(consents === null && approvals > 0
        ? [line('consent', `WARNING: ${approvals} not verified: give --configuration`)]
        : []),
      line(
        'log',
        inclusion === null
          ? 'WARNING: no proof of a place in the log'
          : `in ${printable(node.log.origin)}, among ${inclusion.checkpoint.size} entries`,
      ),
      line('witnesses', witnesses === null ? 'none asked for' : `${witnesses} at least have cosigned`),
    ].join('\n'),
    data: {
      verified: true,
      entry,
      isOfSameBoot,
      document: { timestamp: isoTime(document.timestamp), trustAnchor: anchor },
      consents,
      inclusion:
        inclusion === null
          ? null
          : {
              origin: node.log.origin,
              index: inclusion.index,
              size: inclusion.checkpoint.size,
              cosignatures: inclusion.cosignatures.length,
            },
      witnesses,
    },
  };
}
