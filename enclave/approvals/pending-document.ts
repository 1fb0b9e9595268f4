import {
  type PendingRequestDocument,
  pendingRequestSchema,
  type RequestSummary,
} from '../../shared/api/requests.ts';
import type { PendingRequest } from './pending-request.ts';
import type { RequestStatus } from './pending-requests.ts';

/** What the document of a request that waits is made with. */
export interface PendingDocumentOptions {
  /** SHA-384 of the manifest, in hex. */
  readonly manifest: string;
  /** Reads the request again, for its approvers; the transaction in the JSON form of receipts. */
  readonly read: (request: PendingRequest) => Pick<PendingRequestDocument, 'transaction' | 'context'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Describes a request for its client. */
export function summarise({ request, state, votes, needs }: RequestStatus): RequestSummary {
  const { id, digest, rule, created, expires } = request;
  const { key, algorithm, payload } = request.request;
  return {
    id,
    digest,
    key,
    algorithm,
    kind: payload.kind,
    rule,
    created,
    expires,
    state,
    votes: votes.map(({ approver, decision, time }) => ({ approver, decision, time })),
    needs: [...needs],
  };
}

/** Makes what approvers read. The node's own reading is beside the payload, so that a reader can compare the two. */
export function describePending(
  status: RequestStatus,
  { read, manifest, now }: PendingDocumentOptions,
): PendingRequestDocument {
  const { request } = status;
  const { votes, needs } = summarise(status);
  const { transaction, context } = read(request);
  return pendingRequestSchema.parse({
    format: 'holdfast-pending-request/1',
    id: request.id,
    digest: request.digest,
    client: request.client,
    request: request.request,
    context,
    transaction,
    manifest,
    configuration: request.configuration,
    rule: request.rule,
    needs,
    votes,
    created: request.created,
    expires: request.expires,
    time: now(),
  });
}
