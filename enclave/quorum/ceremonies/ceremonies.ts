import type { Plan } from '../../../audit/transcript/index.ts';
import type { FrostGroup } from '../../../shared/frost/index.ts';
import type { CeremonyOperation } from '../../../shared/operations.ts';
import type { PeerIdentity } from '../../peers/peer-network.ts';

/** What a ceremony is asked to do. */
export interface LedOrder {
  readonly operation: CeremonyOperation;
  /** Ids of keys; several for a refresh alone. */
  readonly keys: readonly string[];
  /** Nodes that hold shares afterwards; those of the epoch before where left out. */
  readonly holders?: readonly number[];
  /** Threshold afterwards; that of the epoch before, or of the manifest, where left out. */
  readonly threshold?: number;
  /** The client's request as it is handed on to the others; null for a refresh that the configuration orders. */
  readonly request: Uint8Array | null;
  /** For `import-key`: the secret scalar, 32 bytes as the group serialises it. The ceremony clears it. */
  readonly secret?: Uint8Array;
  /** For `import-key`: the public key of the secret, as the group serialises it. */
  readonly publicKey?: Uint8Array;
}

/** Steps of a ceremony, as its coordinator shows them. */
export type CeremonyProgressStep = 'decide' | 'commit' | 'deal' | 'confirm' | 'activate';

/** What a coordinator knows of a ceremony that it leads. */
export interface CeremonyProgress {
  /** In hex. */
  readonly id: string;
  readonly plan: Plan;
  readonly step: CeremonyProgressStep;
  /** Nodes that have answered in this step, and those that are waited for. */
  readonly answered: readonly number[];
  readonly waitingFor: readonly number[];
}

/** The end of a ceremony whose epoch is in force. */
export interface CeremonyOutcome {
  /** In hex. */
  readonly id: string;
  readonly plan: Plan;
  /** SHA-256 of the transcript. */
  readonly transcript: Uint8Array;
  /** Public keys in the plan's order. */
  readonly publicKeys: readonly Uint8Array[];
  /** Nodes that were not reached with the certificate; they ask for it when they are back. */
  readonly uninformed: readonly number[];
}

/** A plan that a participant is asked to take part in. */
export interface AskedCeremony {
  readonly plan: Plan;
  /** The forwarded request whose SHA-256 the plan names; null where the plan has none. */
  readonly request: Uint8Array | null;
  /** The node that asks; undefined where it is this one. */
  readonly coordinator: PeerIdentity | undefined;
}

/** What a holder is about to confirm. */
export interface ConfirmedEpochs {
  /** SHA-256 of the transcript. */
  readonly transcript: Uint8Array;
  /** Groups that the ceremony makes, in the plan's order. */
  readonly groups: readonly FrostGroup[];
}

/** Edges of the ceremonies of a node: what decides, records and vouches for it. */
export interface CeremonyEdges {
  /**
   * Decides by this node's own rules whether the client's request permits the plan; a plan without a request is decided
   * by the configuration, and does not come here. Throws a HoldfastError where it does not.
   */
  readonly authorise: (asked: AskedCeremony) => Promise<void>;
  /** Decides a plan without a request, which the configuration has to order. */
  readonly authoriseOrdered: (asked: AskedCeremony) => Promise<void>;
  /** Computes the SHA-256 by which a plan names a forwarded request. */
  readonly digestRequest: (request: Uint8Array) => Uint8Array;
  /**
   * Records in this node's log that it is about to confirm. It resolves once the entry is sealed, and cosigned as the
   * configuration wants it.
   */
  readonly record: (asked: AskedCeremony, confirmed: ConfirmedEpochs) => Promise<void>;
  /** Attests to a nonce of 32 bytes, with this node's binding (receipt key, session) as user data. */
  readonly attest: (nonce: Uint8Array) => Promise<Uint8Array>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly sleep: (milliseconds: number) => Promise<void>;
}

/** The ceremonies of a node: those that it leads, and those that it takes part in. */
export interface Ceremonies {
  /**
   * Leads a ceremony to its end.
   *
   * @throws CeremonyError, and what the edges throw on this node
   */
  lead(order: LedOrder, onProgress?: (progress: CeremonyProgress) => void): Promise<CeremonyOutcome>;
  /** Reads the transcript of the ceremony that made an epoch; undefined where this node does not keep it. */
  getTranscript(key: string, epoch: number): Promise<Uint8Array | undefined>;
  /** Reads the certificate of the epoch of a key that is in force here; undefined where this node does not keep it. */
  getCertificate(key: string): Promise<Uint8Array | undefined>;
  /**
   * Takes the certificate of a newer epoch of a key from whoever has it; tells whether the epoch has changed. What proves
   * nothing, is of another key or older changes nothing.
   *
   * @throws StoreError
   */
  takeCertificate(key: string, certificate: Uint8Array): Promise<boolean>;
  /** Tells of each key whose epoch has changed: nonces of the former one are to be dropped. */
  onActivated(listener: (key: string, epoch: number) => void): void;
  /** Asks others for nothing any more. */
  stop(): void;
}
