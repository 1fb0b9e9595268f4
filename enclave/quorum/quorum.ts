import type { Receipt } from '../../audit/receipt/index.ts';
import type { Ceremony, QuorumStatus } from '../../shared/api/quorum.ts';
import type { ForwardedRequest } from '../signing/forwarded-request.ts';
import type { CeremonyOrder } from './order.ts';

/** A request of an authenticated client as it came: other nodes verify its signature themselves. */
export interface ClientRequest {
  /** Id of the client in the configuration. */
  readonly client: string;
  /** The request as other nodes verify it. */
  readonly forwarded: ForwardedRequest;
}

/** A ceremony that was permitted on this node and has begun. */
export interface BegunCeremony {
  readonly ceremony: Ceremony;
  /** The rule that permitted it on this node, and the receipt of that decision. */
  readonly rule: string;
  readonly receipt: Receipt;
}

/** The quorum as a node's interface uses it. */
export interface Quorum {
  /** Describes the quorum as this node sees it. */
  status(): QuorumStatus;
  /**
   * Decides an order by this node's rules and begins the ceremony, which goes on without the request.
   *
   * @throws PolicyError where nothing permits it; CeremonyError where the key, the nodes or another ceremony do not allow
   * it to begin
   */
  begin(request: ClientRequest, order: CeremonyOrder): Promise<BegunCeremony>;
  /** Lists the ceremonies that this node leads, or has led since it started, the newest first. */
  ceremonies(): readonly Ceremony[];
  /** @throws QuorumError CEREMONY_NOT_FOUND */
  ceremony(id: string): Ceremony;
  /**
   * Reads the transcript of the ceremony that made an epoch.
   *
   * @throws QuorumError TRANSCRIPT_NOT_FOUND
   */
  transcript(key: string, epoch: number): Promise<Uint8Array>;
  /** Leads nothing by itself any more, and asks others for nothing. */
  stop(): void;
}
