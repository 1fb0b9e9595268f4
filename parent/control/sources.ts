import type { Credentials, NodePhase } from '../../shared/protocol/control.ts';
import type { RecordStore } from '../store/record-store.ts';

/** Where secret blobs come from: ciphertext, which the parent cannot open. */
export interface SecretSource {
  /** `null` when there is no secret of that name, which is not the same as one that cannot be had now. */
  get(name: string, signal: AbortSignal): Promise<Uint8Array | null>;
}

/** An admin's nonce for an image that is to be admitted, and the attestation document that answers it. */
export interface AdmissionDesk {
  /** `null` when nobody has asked. */
  nonce(signal: AbortSignal): Promise<Uint8Array | null>;
  publish(document: Uint8Array, signal: AbortSignal): Promise<void>;
}

/** What a node's control requests are answered from. Whatever throws is answered with UNAVAILABLE. */
export interface ControlSources {
  /** `null` when there is none: answered with NOT_FOUND. */
  readonly manifest: (signal: AbortSignal) => Promise<Uint8Array | null>;
  readonly configuration: (signal: AbortSignal) => Promise<Uint8Array | null>;
  readonly secrets: SecretSource;
  readonly credentials: (signal: AbortSignal) => Promise<Credentials>;
  /** Where an image that KMS does not admit yet shows itself; nobody asks for that when left out. */
  readonly admission?: AdmissionDesk;
  readonly store: RecordStore;
  readonly onStatus: (phase: NodePhase, code: string | null) => void;
}
