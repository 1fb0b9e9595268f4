export { RequestError, type RequestErrorCode } from './errors.ts';
export type { PendingRequest, Vote } from './pending-request.ts';
export {
  type ApprovalContext,
  type DroppedRequest,
  type NewRequest,
  PendingRequests,
  type ReceivedVote,
  type RequestStatus,
} from './pending-requests.ts';
export { toApproval, toCanonical } from './vote-encoding.ts';
export { describePending, type PendingDocumentOptions, summarise } from './pending-document.ts';
