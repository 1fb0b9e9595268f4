import type { Transport } from '../../shared/transport/transport.ts';
import type { ApprovalDoorOptions } from '../approvals/options.ts';
import type { ControlSources } from '../control/sources.ts';
import type { Log } from '../common/log.ts';
import type { AuditLogOptions } from '../log/audit-log.ts';
import type { EgressOptions } from '../egress/options.ts';
import type { IngressOptions } from '../ingress/options.ts';
import type { PeersOptions } from '../peers/options.ts';
import type { StatusSources } from '../metrics/status-sources.ts';
import type { StatusAddress } from '../status/server.ts';
import type { WitnessDoorOptions } from '../witness/options.ts';

export interface ParentOptions extends Omit<ControlSources, 'entries' | 'onStatus'> {
  readonly transport: Transport;
  /** CID of the one enclave that is served. */
  readonly enclaveCid: number;
  readonly egress: EgressOptions;
  /** Options of the way in for clients; no clients are let in when left out. */
  readonly ingress?: IngressOptions;
  /** Way to the parents of other nodes; there is none when left out. */
  readonly peers?: PeersOptions;
  /** Door for approvers; there is none when left out. */
  readonly approvals?: ApprovalDoorOptions;
  /** Door by which the parents of peers ask the enclave for cosignatures; there is none when left out. */
  readonly witness?: WitnessDoorOptions;
  /** Address of the status page; there is no page when left out. */
  readonly status?: StatusAddress;
  readonly statusSources?: StatusSources;
  /** Folder and witnesses of the node's log; entries stay in the store when left out. */
  readonly auditLog?: AuditLogOptions;
  readonly log?: Log;
}
