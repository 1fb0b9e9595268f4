import type { Credentials, NodePhase } from '../../shared/protocol/control.ts';
import type { RecordStore } from '../store/record-store.ts';

/** Where secret blobs come from: ciphertext, which the parent cannot open. */
export interface SecretSource {
  /** `null` when there is no secret of that name, which is not the same as one that cannot be had now. */
  get(name: string, signal: AbortSignal): Promise<Uint8Array | null>;
}

/** What a node's control requests are answered from. Whatever throws is answered with UNAVAILABLE. */
export interface ControlSources {
  /** `null` when there is none: answered with NOT_FOUND. */
  readonly manifest: (signal: AbortSignal) => Promise<Uint8Array | null>;
  readonly configuration: (signal: AbortSignal) => Promise<Uint8Array | null>;
  readonly secrets: SecretSource;
  readonly credentials: (signal: AbortSignal) => Promise<Credentials>;
  readonly store: RecordStore;
  readonly onStatus: (phase: NodePhase, code: string | null) => void;
}
