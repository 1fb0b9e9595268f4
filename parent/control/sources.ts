import type { Credentials, NodePhase } from '../../shared/protocol/control.ts';
import type { LogAddition } from '../../shared/protocol/control.ts';
import type { StoreObserver } from '../identity/keeper.ts';
import type { RecordSession, RecordStore } from '../store/record-store.ts';

/** Source of secret blobs: ciphertext, which the parent cannot open. */
export interface SecretSource {
  /** Resolves to `null` when there is no secret of that name; rejects when it cannot be had now. */
  get(name: string, signal: AbortSignal): Promise<Uint8Array | null>;
}

/** Exchange with an admin who is to admit an image: the admin's nonce, and the attestation document made for it. */
export interface AdmissionDesk {
  /** Resolves to `null` when no admin has left a nonce. */
  nonce(signal: AbortSignal): Promise<Uint8Array | null>;
  publish(document: Uint8Array, signal: AbortSignal): Promise<void>;
}

/** Taker of the entries that a node commits with its records. */
export interface EntrySink {
  /** Called when the enclave has opened the store, whose entries may be more than were taken before. */
  attach(session: RecordSession): void;
  /** Called with entries that are on disk. */
  accept(addition: LogAddition): void;
  /** Called before the store is closed. */
  detach(): void;
}

/** Sources from which a node's control requests are served. A source that throws makes the response UNAVAILABLE. */
export interface ControlSources {
  /** Resolves to `null` when there is none: the response is NOT_FOUND. */
  readonly manifest: (signal: AbortSignal) => Promise<Uint8Array | null>;
  readonly configuration: (signal: AbortSignal) => Promise<Uint8Array | null>;
  readonly secrets: SecretSource;
  readonly credentials: (signal: AbortSignal) => Promise<Credentials>;
  /** Exchange for an image that KMS does not admit yet; left out where no admin asks for documents. */
  readonly admission?: AdmissionDesk;
  readonly store: RecordStore;
  readonly entries?: EntrySink;
  /** Observer that notes which store the node has; left out where nobody compares. */
  readonly identity?: StoreObserver;
  readonly onStatus: (phase: NodePhase, code: string | null) => void;
}
