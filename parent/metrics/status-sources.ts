import type { IdentityStatus } from '../identity/keeper.ts';
import type { SupervisorState } from '../lifecycle/supervisor.ts';

/** Sources of the status page and the metrics beside the parent's own parts. */
export interface StatusSources {
  readonly enclave?: () => SupervisorState;
  /** Expiry of the credentials, milliseconds since 1970; null for none. */
  readonly credentialsExpiration?: () => number | null;
  /** Runtime identity of the node's store, and why it is not noted; left out where nobody notes it. */
  readonly identity?: () => IdentityStatus;
}
