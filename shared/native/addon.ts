import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { TransportError } from '../transport/errors.ts';

/** A watch that is on; opaque. */
export type Watch = object & { readonly __watch: never };

/** A private key that the addon holds; opaque. When it is collected its memory is cleared, too. */
export type KeyHandle = object & { readonly __key: never };

/** A key of OpenSSL that signs digests; opaque. OpenSSL clears its secret when it is collected. */
export type DigestKeyHandle = object & { readonly __digestKey: never };

/**
 * The functions of addon/addon.c. Descriptors are bare numbers that the caller must close; everything throws (or
 * rejects with) an Error whose `code` is the name of an errno, and misuse is a TypeError or RangeError.
 */
export interface NativeAddon {
  /** Returns this machine's own context id. */
  localCid(): number;
  /**
   * Starts a non-blocking connection; the caller waits until the descriptor is writable, then calls `finishConnect`.
   */
  startConnect(cid: number, port: number, timeoutMs: number): number;
  /** Completes a connection; `false` while it is still under way. */
  finishConnect(descriptor: number): boolean;
  listen(port: number, backlog: number): number;
  /** Accepts a connection, with the address of the peer as the kernel knows it; `null` when none waits. */
  accept(descriptor: number): { descriptor: number; cid: number; port: number } | null;
  localPort(descriptor: number): number;
  /** Opens an AF_UNIX stream socket that is connected to nothing. */
  placeholder(): number;
  /** Moves the open file of `from` to the number `to`, and makes it non-blocking. */
  replace(from: number, to: number): void;
  close(descriptor: number): void;
  /** Calls back whenever the descriptor is readable, or writable, or broken. */
  watch(descriptor: number, writable: boolean, callback: () => void): Watch;
  /** Ends a watch, before its descriptor is closed or replaced; no callback comes afterwards. Twice is harmless. */
  unwatch(watch: Watch): void;
  openNsm(): number;
  exchangeNsm(descriptor: number, request: Uint8Array): Promise<Uint8Array>;
  /** Holds a copy of a secret of 32 bytes; `null` where that is not a scalar from 1 to the order less one. */
  holdSecp256k1(secret: Uint8Array): KeyHandle | null;
  /** Holds a copy of a secret, like `holdSecp256k1`. */
  holdP256(secret: Uint8Array): KeyHandle | null;
  /** Overwrites the key, which must not be used afterwards; twice is harmless. */
  clearKey(key: KeyHandle): void;
  /** Returns the public key, compressed SEC1. */
  publicKey(key: KeyHandle): Uint8Array<ArrayBuffer>;
  /** Writes the secret into `target`, 32 bytes that the caller clears. */
  copySecret(key: KeyHandle, target: Uint8Array): void;
  /** Signs 32 bytes: r ‖ s (RFC 6979, the lower s); on secp256k1 a 65th byte is the recovery number. */
  signEcdsa(key: KeyHandle, digest: Uint8Array): Uint8Array<ArrayBuffer>;
  /** Signs 32 bytes by BIP-340: the signature (64 bytes), verified, and the x-only key that it verifies under (32). */
  signBip340(key: KeyHandle, digest: Uint8Array, auxiliary: Uint8Array): Uint8Array<ArrayBuffer>;
  /** Signs like `signBip340`, under the output key of BIP-341; `merkleRoot` has 32 bytes or none. */
  signTaproot(
    key: KeyHandle,
    digest: Uint8Array,
    auxiliary: Uint8Array,
    merkleRoot: Uint8Array,
  ): Uint8Array<ArrayBuffer>;
  /** Holds a private key of P-384, Ed25519 or RSA from its PrivateKeyInfo in DER; others are a RangeError. */
  holdDigestKey(privateKeyInfo: Uint8Array): DigestKeyHandle;
  /**
   * Signs a digest by one of the algorithms of addon/digest-keys.c, which is one of the key; the digest has its length.
   * ECDSA signatures are r ‖ s (RFC 6979, the lower s).
   */
  signDigest(key: DigestKeyHandle, algorithm: string, digest: Uint8Array): Uint8Array<ArrayBuffer>;
  /** Frees the key, which must not be used afterwards; twice is harmless. */
  clearDigestKey(key: DigestKeyHandle): void;
  /**
   * Decodes an element of a group (a number of `GROUPS` in addon/groups.c) into the addon's own form; `null` for
   * whatever is not the canonical encoding of an element of prime order.
   */
  decodeElement(group: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> | null;
  /** Encodes an element; `null` for the identity. */
  encodeElement(group: number, element: Uint8Array): Uint8Array<ArrayBuffer> | null;
  isIdentity(group: number, element: Uint8Array): boolean;
  equalElements(group: number, a: Uint8Array, b: Uint8Array): boolean;
  addElements(group: number, a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer>;
  negateElement(group: number, a: Uint8Array): Uint8Array<ArrayBuffer>;
  /** Multiplies the generator in constant time. */
  multiplyBase(group: number, scalar: Uint8Array): Uint8Array<ArrayBuffer>;
  /** Computes a sum of at most 1,024 products of public values. */
  sumOfProducts(
    group: number,
    scalars: readonly Uint8Array[],
    elements: readonly Uint8Array[],
  ): Uint8Array<ArrayBuffer>;
  /** Tells whether bytes are a reduced scalar; wherever a scalar is taken, others are a RangeError. */
  isScalar(group: number, bytes: Uint8Array): boolean;
  /** Reduces 32 to 64 bytes. */
  reduceScalar(group: number, bytes: Uint8Array): Uint8Array<ArrayBuffer>;
  addScalars(group: number, a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer>;
  subtractScalars(group: number, a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer>;
  multiplyScalars(group: number, a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer>;
  /** Inverts a scalar; a RangeError for zero. */
  invertScalar(group: number, a: Uint8Array): Uint8Array<ArrayBuffer>;
  /** Sends one datagram to a socket of the Unix domain; `@name` is an abstract address. At most 512 bytes. */
  notify(address: string, message: string): void;
  /** Forbids core files and debuggers for this process. */
  forbidDumps(): void;
  /** Forbids this process to execute another program: an attempt ends it. Also sets no_new_privs. */
  forbidExec(): void;
  /** Asserts that there is no swap that memory could be written to. @throws Error with code EPERM */
  requireNoSwap(): void;
  /** Ends the process now, without exit handlers and without waiting for threads. */
  exit(code: number): never;
}

// In the image the addon lies beside the bundle; elsewhere where scripts/build-addon.sh puts it, which is another way
// from
// a working copy than from the JavaScript of the package.
const PLACES = ['./holdfast.node', '../../build/holdfast.node', '../../../../build/holdfast.node'];

/** Returns the `code` of an error that the addon threw, such as `ECONNRESET`. */
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
