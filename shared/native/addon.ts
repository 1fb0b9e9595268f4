import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { TransportError } from '../transport/errors.ts';

/** A watch that is on; opaque. */
export type Watch = object & { readonly __watch: never };

/** A private key that the addon holds; opaque. When it is collected its memory is cleared, too. */
export type KeyHandle = object & { readonly __key: never };

/**
 * The functions of addon/addon.c. Descriptors are bare numbers that the caller must close; everything throws (or rejects
 * with) an Error whose `code` is the name of an errno, and misuse is a TypeError or RangeError.
 */
export interface NativeAddon {
  /** This machine's own context id. */
  localCid(): number;
  /** A non-blocking connection under way: wait until it is writable, then ask `finishConnect`. */
  startConnect(cid: number, port: number, timeoutMs: number): number;
  /** `false` while it is still under way. */
  finishConnect(descriptor: number): boolean;
  listen(port: number, backlog: number): number;
  /** The next connection and its other end as the kernel knows it; `null` when nobody waits. */
  accept(descriptor: number): { descriptor: number; cid: number; port: number } | null;
  localPort(descriptor: number): number;
  /** An AF_UNIX stream socket that is connected to nothing. */
  placeholder(): number;
  /** `to` names what `from` named, made non-blocking; `from` is closed. */
  replace(from: number, to: number): void;
  close(descriptor: number): void;
  /** Calls back whenever the descriptor is readable, or writable, or broken. */
  watch(descriptor: number, writable: boolean, callback: () => void): Watch;
  /** No callback comes afterwards; twice is harmless. Before the descriptor is closed or replaced. */
  unwatch(watch: Watch): void;
  openNsm(): number;
  exchangeNsm(descriptor: number, request: Uint8Array): Promise<Uint8Array>;
  /** Copies 32 bytes; `null` for what is no scalar from 1 to the curve's order less one. */
  holdSecp256k1(secret: Uint8Array): KeyHandle | null;
  /** Like `holdSecp256k1`. */
  holdP256(secret: Uint8Array): KeyHandle | null;
  /** Overwrites the key, which is misuse to use afterwards; twice is harmless. */
  clearKey(key: KeyHandle): void;
  /** Compressed SEC1. */
  publicKey(key: KeyHandle): Uint8Array<ArrayBuffer>;
  /** Writes the secret into 32 bytes of the caller's, who clears them. */
  copySecret(key: KeyHandle, target: Uint8Array): void;
  /** r ‖ s over 32 bytes (RFC 6979, the lower s); on secp256k1 a 65th byte is the recovery number. */
  signEcdsa(key: KeyHandle, digest: Uint8Array): Uint8Array<ArrayBuffer>;
  /** The signature (64 bytes), verified, and the x-only key that it verifies under (32). */
  signBip340(key: KeyHandle, digest: Uint8Array, auxiliary: Uint8Array): Uint8Array<ArrayBuffer>;
  /** Like `signBip340`, under the output key of BIP-341; `merkleRoot` has 32 bytes or none. */
  signTaproot(
    key: KeyHandle,
    digest: Uint8Array,
    auxiliary: Uint8Array,
    merkleRoot: Uint8Array,
  ): Uint8Array<ArrayBuffer>;
  /** One datagram to a socket of the Unix domain; `@name` is an abstract address. At most 512 bytes. */
  notify(address: string, message: string): void;
  /** No core file and no debugger for this process. */
  forbidDumps(): void;
  /** No other program in this process, ever: trying ends it. Takes new privileges from it and its children, too. */
  forbidExec(): void;
  /** Memory that this process touches from now on stays out of swap. */
  lockMemory(): void;
  /** Ends the process now: nothing is run and nothing is waited for. */
  exit(code: number): never;
}

// In the image the addon lies beside the bundle; in a working tree, where scripts/build-addon.sh puts it.
const PLACES = ['./holdfast.node', '../../build/holdfast.node'];

/** The `code` of an error that the addon threw, such as `ECONNRESET`. */
export function errnoName(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * Loads the addon.
 * @throws TransportError TRANSPORT_UNAVAILABLE where it was not built or does not load: AF_VSOCK and /dev/nsm are then
 * out of reach, the local stand-ins are not.
 */
export function loadNative(): NativeAddon {
  const path = PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url))).find(existsSync);
  if (path === undefined) {
    throw new TransportError(
      'TRANSPORT_UNAVAILABLE',
      'the native addon was not built: install a C compiler (cc) and run scripts/build-addon.sh',
      { missing: 'holdfast.node' },
    );
  }
  try {
    return createRequire(import.meta.url)(path) as NativeAddon;
  } catch (cause) {
    throw new TransportError(
      'TRANSPORT_UNAVAILABLE',
      'the native addon does not load on this machine: run scripts/build-addon.sh again',
      { path },
      cause,
    );
  }
}
