import { type Approval, parseStatement, verifyApproval } from '../../policy/approvals/index.ts';
import { decodeBase64 } from '../../shared/base64.ts';
import type { Configuration } from '../../shared/documents/configuration.ts';
import type { RecordedApproval } from './approval.ts';
import { type DecisionPredicate, type Entry, PREDICATE_TYPES } from './entry.ts';
import { ReceiptError } from './errors.ts';

/** A person whose vote on this very request has verified. */
export interface Consent {
  readonly approver: string;
  readonly decision: 'approve' | 'reject';
  readonly credential: 'passkey' | 'ed25519';
}

/**
 * Verifies the votes in an entry again: each about this request, node, configuration and rule, by a key of the person in
 * the configuration, no person twice, none by the person behind the client, none expired at the time of the entry. How many
 * the rule needed is the node's decision, and not repeated here; a rejection is never in a permission.
 *
 * @throws ApprovalError; ReceiptError RECEIPT_CONSENT
 */
export function verifyConsent(entry: Entry, configuration: Configuration): readonly Consent[] {
  if (entry.predicateType !== PREDICATE_TYPES.decision) return [];
  const { predicate, subject } = entry;
  const [first] = predicate.approvals;
  if (first === undefined) return [];
  const [{ digest }] = subject;
  const client = configuration.clients.find(({ id }) => id === predicate.request.client);
  // A denial names no rule; all its votes are about the one that was asked for.
  const { expires, rule } = parseStatement(decode(first.statement));
  const votes: { approver: string; decision: 'approve' | 'reject' }[] = [];
  const consents = predicate.approvals.map((recorded): Consent => {
    const verified = verifyApproval(
      toApproval(recorded),
      {
        request: { id: predicate.pendingId ?? '', digest: digest.sha256 },
        manifest: predicate.node.manifest,
        configuration: predicate.configuration,
        rule: predicate.rule ?? rule,
        expires,
        asked: configuration.approvers.map(({ id }) => id),
        requester: { publicKey: client?.publicKey ?? '', person: client?.person ?? null },
        votes,
      },
      {
        approvers: configuration.approvers,
        now: Date.parse(predicate.time),
        // The node keeps the counters; a receipt stands alone.
        lastCounter: () => 0,
      },
    );
    const { approver, decision, credential } = verified;
    if (approver !== recorded.approver || decision !== recorded.decision) {
      throw new ReceiptError('RECEIPT_CONSENT', 'the entry names another person or decision than the vote', {
        expected: { approver, decision },
        actual: { approver: recorded.approver, decision: recorded.decision },
      });
    }
    votes.push({ approver, decision });
    return { approver, decision, credential: credential.type };
  });
  assertNoRejection(predicate, consents);
  return consents;
}

function assertNoRejection({ outcome }: DecisionPredicate, consents: readonly Consent[]): void {
  const rejection = consents.find(({ decision }) => decision === 'reject');
  if (outcome === 'denied' || rejection === undefined) return;
  throw new ReceiptError('RECEIPT_CONSENT', 'the request was not denied, and somebody rejected it', {
    approver: rejection.approver,
  });
}

function toApproval({ statement, proof }: RecordedApproval): Approval {
  const signature = decode(proof.signature);
  return {
    statement: decode(statement),
    proof:
      proof.type === 'ed25519'
        ? { type: proof.type, publicKey: proof.publicKey, signature }
        : {
            type: proof.type,
            credentialId: proof.credentialId,
            authenticatorData: decode(proof.authenticatorData),
            clientDataJSON: decode(proof.clientDataJSON),
            signature,
          },
  };
}

/** Decodes what the schema has shown to be base64. */
function decode(text: string): Uint8Array<ArrayBuffer> {
  const bytes = decodeBase64(text);
  if (bytes === undefined) throw new TypeError('expected base64');
  return bytes;
}
