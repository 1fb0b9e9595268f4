import { equalBytes } from '../../attestation/bytes.ts';
import type { TransactionJson } from '../../policy/transactions/json.ts';
import { parseJson } from '../../shared/json/index.ts';
import type { RecordedApproval } from './approval.ts';
import {
  type BootPredicate,
  type CeremonyPredicate,
  type CosignaturePredicate,
  type DecisionPredicate,
  type Entry,
  entrySchema,
  MAX_ENTRY_BYTES,
  PREDICATE_TYPES,
  STATEMENT_TYPE,
  type VotePredicate,
} from './entry.ts';
import { ReceiptError } from './errors.ts';

/** The deepest nesting of an entry: statement, predicate, transaction, effects, effect, details. */
const MAX_ENTRY_DEPTH = 8;

const utf8 = new TextEncoder();

/** Makes the entry of a decision. @param requestDigest SHA-256 of the canonical request, in hex */
export function createDecisionEntry(requestDigest: string, predicate: DecisionPredicate): Entry {
  return {
    _type: STATEMENT_TYPE,
    subject: [{ name: 'request', digest: { sha256: requestDigest } }],
    predicateType: PREDICATE_TYPES.decision,
    predicate,
  };
}

/** Makes the entry of a person's vote on a request that waits. @param requestDigest as of the request's decision */
export function createVoteEntry(requestDigest: string, predicate: VotePredicate): Entry {
  return {
    _type: STATEMENT_TYPE,
    subject: [{ name: 'request', digest: { sha256: requestDigest } }],
    predicateType: PREDICATE_TYPES.vote,
    predicate,
  };
}

/** Makes the entry of a cosignature for another node's log. @param textDigest SHA-256 of the checkpoint's text, in hex */
export function createCosignatureEntry(textDigest: string, predicate: CosignaturePredicate): Entry {
  return {
    _type: STATEMENT_TYPE,
    subject: [{ name: 'checkpoint', digest: { sha256: textDigest } }],
    predicateType: PREDICATE_TYPES.cosignature,
    predicate,
  };
}

/** Makes the entry of a ceremony. @param transcriptDigest SHA-256 that the node confirms, in hex */
export function createCeremonyEntry(transcriptDigest: string, predicate: CeremonyPredicate): Entry {
  return {
    _type: STATEMENT_TYPE,
    subject: [{ name: 'transcript', digest: { sha256: transcriptDigest } }],
    predicateType: PREDICATE_TYPES.ceremony,
    predicate,
  };
}

/** Makes the entry of a start. */
export function createBootEntry(predicate: BootPredicate): Entry {
  return {
    _type: STATEMENT_TYPE,
    subject: [{ name: 'manifest', digest: { sha384: predicate.node.manifest } }],
    predicateType: PREDICATE_TYPES.boot,
    predicate,
  };
}

/**
 * Encodes an entry as the bytes of its leaf: JSON without white space, members in the order of SPEC.md. The caller's
 * types hold the schema, but for its length and for text that no strict reader takes.
 *
 * @throws ReceiptError ENTRY_MALFORMED, ENTRY_TOO_LARGE
 */
export function encodeEntry(entry: Entry): Uint8Array {
  const text = writeEntry(entry);
  // JSON.stringify writes half of a surrogate pair as such an escape; a backslash of the text before "ud8…" looks alike.
  if (/\\ud[89a-f]/.test(text)) assertEntry(JSON.parse(text));
  const bytes = utf8.encode(text);
  if (bytes.length > MAX_ENTRY_BYTES) throw tooLarge(bytes.length);
  return bytes;
}

/**
 * Parses the bytes of a leaf. Other bytes for the same entry are refused, so that a digest names one statement.
 *
 * @throws ReceiptError ENTRY_MALFORMED, ENTRY_TOO_LARGE
 */
export function parseEntry(bytes: Uint8Array): Entry {
  if (bytes.length > MAX_ENTRY_BYTES) throw tooLarge(bytes.length);
  let value: unknown;
  try {
    value = parseJson(bytes, { maxBytes: MAX_ENTRY_BYTES, maxDepth: MAX_ENTRY_DEPTH });
  } catch (error) {
    throw new ReceiptError('ENTRY_MALFORMED', 'the entry is not strict JSON', {}, error);
  }
  const entry = assertEntry(value);
  if (!equalBytes(bytes, utf8.encode(writeEntry(entry)))) {
    throw new ReceiptError('ENTRY_MALFORMED', 'the entry is not written in the one form of its content');
  }
  return entry;
}

function assertEntry(value: unknown): Entry {
  const parsed = entrySchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ReceiptError('ENTRY_MALFORMED', 'the entry does not match its schema', {
    field: issue?.path.join('.'),
  });
}

function tooLarge(actual: number): ReceiptError {
  return new ReceiptError('ENTRY_TOO_LARGE', `an entry of ${actual} bytes, at most ${MAX_ENTRY_BYTES} fit`, {
    actual,
    maximum: MAX_ENTRY_BYTES,
  });
}

/** Writes an entry as text. Every object is made anew, so that the order of members is the one written here. */
function writeEntry(entry: Entry): string {
  const { _type, predicateType } = entry;
  if (predicateType === PREDICATE_TYPES.boot) {
    const [{ name, digest }] = entry.subject;
    const subject = [{ name, digest: { sha384: digest.sha384 } }];
    return JSON.stringify({ _type, subject, predicateType, predicate: orderBoot(entry.predicate) });
  }
  const [{ name, digest }] = entry.subject;
  const subject = [{ name, digest: { sha256: digest.sha256 } }];
  return JSON.stringify({ _type, subject, predicateType, predicate: orderPredicate(entry) });
}

function orderPredicate(entry: Exclude<Entry, { predicateType: typeof PREDICATE_TYPES.boot }>) {
  const { predicateType } = entry;
  if (predicateType === PREDICATE_TYPES.decision) return orderDecision(entry.predicate);
  if (predicateType === PREDICATE_TYPES.vote) return orderVote(entry.predicate);
  if (predicateType === PREDICATE_TYPES.cosignature) return orderCosignature(entry.predicate);
  return orderCeremony(entry.predicate);
}

const orderNode = ({ manifest, namespace, environment, index }: DecisionPredicate['node']) => ({
  manifest,
  namespace,
  environment,
  index,
});

const orderConfiguration = ({ version, digest }: DecisionPredicate['configuration']) => ({ version, digest });

function orderDecision(decision: DecisionPredicate): DecisionPredicate {
  const { client, key, poolKey, algorithm, operation, payload, path } = decision.request;
  return {
    node: orderNode(decision.node),
    session: decision.session,
    sequence: decision.sequence,
    time: decision.time,
    request: {
      client,
      key,
      ...(poolKey && { poolKey: { id: poolKey.id, type: poolKey.type, usage: poolKey.usage } }),
      algorithm,
      operation,
      payload,
      ...(path !== undefined && { path }),
    },
    transaction: decision.transaction === null ? null : orderTransaction(decision.transaction),
    outcome: decision.outcome,
    code: decision.code,
    rule: decision.rule,
    reasons: decision.reasons.map(({ rule, condition, words }) => ({ rule, condition, words })),
    needs: decision.needs.map(({ rule, kind, words }) => ({ rule, kind, words })),
    pendingId: decision.pendingId,
    approvals: decision.approvals.map(orderApproval),
    charges: decision.charges.map(({ rule, limit, asset, amount }) => ({ rule, limit, asset, amount })),
    configuration: orderConfiguration(decision.configuration),
    failure: decision.failure,
    signatures: decision.signatures.map(({ index, publicKey, sha256 }) => ({ index, publicKey, sha256 })),
    witnesses:
      decision.witnesses === null
        ? null
        : { threshold: decision.witnesses.threshold, of: decision.witnesses.of },
    ...(decision.peerWitnesses === undefined
      ? {}
      : {
          peerWitnesses: { threshold: decision.peerWitnesses.threshold, of: decision.peerWitnesses.of },
        }),
    ...(decision.quorum && { quorum: orderQuorum(decision.quorum) }),
  };
}

function orderQuorum(quorum: NonNullable<DecisionPredicate['quorum']>): DecisionPredicate['quorum'] {
  return {
    coordinator: quorum.coordinator,
    participants: quorum.participants,
    group: quorum.group,
    epoch: quorum.epoch,
    decision: quorum.decision,
    package: quorum.package,
    excluded: quorum.excluded.map(({ node, code }) => ({ node, code })),
  };
}

function orderTransaction(transaction: TransactionJson): TransactionJson {
  const { kind, network, source, effects, fee, nonce, gas, features, details } = transaction;
  return {
    kind,
    network,
    source,
    effects: effects.map(({ type, to, asset, amount, contract, selector, details }) => ({
      type,
      to,
      asset,
      amount,
      contract,
      selector,
      details,
    })),
    fee: fee === null ? null : { asset: fee.asset, amount: fee.amount },
    nonce,
    gas,
    features,
    details,
  };
}

function orderApproval({ approver, decision, statement, proof }: RecordedApproval): RecordedApproval {
  if (proof.type === 'ed25519') {
    const { type, publicKey, signature } = proof;
    return { approver, decision, statement, proof: { type, publicKey, signature } };
  }
  const { type, credentialId, authenticatorData, clientDataJSON, signature } = proof;
  return {
    approver,
    decision,
    statement,
    proof: { type, credentialId, authenticatorData, clientDataJSON, signature },
  };
}

function orderVote({ node, session, sequence, time, ...rest }: VotePredicate): VotePredicate {
  return {
    node: orderNode(node),
    session,
    sequence,
    time,
    pendingId: rest.pendingId,
    approval: orderApproval(rest.approval),
    configuration: orderConfiguration(rest.configuration),
  };
}

function orderCosignature({
  node,
  session,
  sequence,
  time,
  ...rest
}: CosignaturePredicate): CosignaturePredicate {
  return {
    node: orderNode(node),
    session,
    sequence,
    time,
    origin: rest.origin,
    size: rest.size,
    root: rest.root,
    configuration: orderConfiguration(rest.configuration),
  };
}

function orderCeremony({ node, session, sequence, time, ...rest }: CeremonyPredicate): CeremonyPredicate {
  return {
    node: orderNode(node),
    session,
    sequence,
    time,
    id: rest.id,
    operation: rest.operation,
    coordinator: rest.coordinator,
    request: rest.request,
    holders: rest.holders,
    threshold: rest.threshold,
    keys: rest.keys.map(({ key, epoch, publicKey, group }) => ({ key, epoch, publicKey, group })),
    configuration: orderConfiguration(rest.configuration),
  };
}

function orderBoot({ node, session, sequence, time, ...rest }: BootPredicate): BootPredicate {
  return {
    node: orderNode(node),
    session,
    sequence,
    time,
    entropy: rest.entropy,
    previousSize: rest.previousSize,
    configuration: orderConfiguration(rest.configuration),
    state: rest.state,
    origin: rest.origin,
    ...(rest.document === undefined ? {} : { document: rest.document }),
  };
}
