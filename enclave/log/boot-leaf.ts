import { appendLeaves, hashLeaf } from '../../audit/log/index.ts';
import { createBootEntry, encodeEntry } from '../../audit/receipt/index.ts';
import type { SignedConfiguration } from '../../shared/documents/configuration.ts';
import { logOrigin, type MeasuredManifest } from '../node/manifest.ts';
import type { LogState, SealedStore } from '../store/index.ts';

export interface BootLeafInput {
  readonly store: Pick<SealedStore, 'digest' | 'state'>;
  readonly measured: MeasuredManifest;
  readonly signed: SignedConfiguration;
  /** Id of this boot in hex. */
  readonly session: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** 32 bytes of the NSM, drawn after the store was opened. */
  readonly entropy: Uint8Array;
}

/** An entry to be sealed in the first commit of a start, and the log's state with it. */
export interface BootLeaf {
  readonly entry: Uint8Array;
  readonly log: LogState;
}

/**
 * Makes the leaf with which a start begins. A tree that contains its entropy cannot have been signed before the entropy
 * was drawn, so that a cosignature of such a tree says that the witness knows of no later one. The leaf must be sealed
 * before its tree is shown to anybody: once a witness has signed it, every later tree has to contain it.
 */
export function appendBootEntry(input: BootLeafInput): BootLeaf {
  const { store, measured, signed, session, now, entropy } = input;
  const { namespace, environment, node } = measured.manifest;
  const { size, frontier } = store.state.log;
  const entry = encodeEntry(
    createBootEntry({
      node: { manifest: hex(measured.digest), namespace, environment, index: node },
      session,
      sequence: size,
      time: new Date(now).toISOString(),
      entropy: hex(entropy),
      previousSize: size,
      configuration: { version: signed.configuration.version, digest: hex(signed.digest) },
      state: hex(store.digest),
      origin: logOrigin(measured.manifest),
    }),
  );
  const { frontier: next } = appendLeaves({ size, hashes: frontier }, [hashLeaf(entry)]);
  return { entry, log: { size: next.size, frontier: [...next.hashes] } };
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
