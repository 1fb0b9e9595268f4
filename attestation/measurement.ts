import { sha384 } from '@noble/hashes/sha2.js';
import { PCR_BYTES } from './pcr.ts';

const utf8 = new TextEncoder();

/** Number of the PCR that a node extends with the digest of its manifest, and locks. */
export const MANIFEST_PCR = 16;

/** Returns 48 zero bytes: the value of every PCR before the first measurement. */
export function zeroPcr(): Uint8Array {
  return new Uint8Array(PCR_BYTES);
}

/** A function that computes SHA-384 (FIPS 180-4): lets a caller use an implementation faster than the default. */
export type Sha384 = (message: Uint8Array) => Uint8Array;

/**
 * Computes the value of a PCR after ExtendPCR with `data`: SHA-384(PCR ‖ data).
 *
 * @param pcr the value before, 48 bytes
 * @param data any length
 * @returns the value after, 48 bytes
 * @throws RangeError for a `pcr` of another length
 *
 * Source: aws-nitro-enclaves-nsm-api, `ExtendPCR`; AWS Nitro Enclaves User Guide, "Cryptographic attestation".
 */
export function extendPcr(pcr: Uint8Array, data: Uint8Array, hash: Sha384 = sha384): Uint8Array {
  if (pcr.length !== PCR_BYTES) throw new RangeError(`pcr has ${pcr.length} bytes: expected ${PCR_BYTES}`);
  const message = new Uint8Array(PCR_BYTES + data.length);
  message.set(pcr);
  message.set(data, PCR_BYTES);
  return hash(message);
}

/**
 * Computes PCR16 of a node that was given this manifest: SHA-384(48 zero bytes ‖ SHA-384(manifest)). The enclave extends
 * with the digest, since an NSM request has room for a digest but not for every manifest.
 *
 * @param manifest the very bytes of manifest.json
 * @returns 48 bytes, to be expected as {@link MANIFEST_PCR}
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { computeManifestPcr, MANIFEST_PCR, parsePcrFile } from '@holdfast-nodes/holdfast/attestation';
 *
 * const image = parsePcrFile(await readFile('pcr.json'));
 * const manifest = computeManifestPcr(await readFile('manifest.json'));
 * const expected = new Map([...image, [MANIFEST_PCR, manifest]]);
 * console.log(expected.get(16).length); // 48
 * ```
 */
export function computeManifestPcr(manifest: Uint8Array): Uint8Array {
  return extendPcr(zeroPcr(), sha384(manifest));
}

/**
 * Computes PCR3 of an enclave whose parent instance has this IAM role: SHA-384(48 zero bytes ‖ ARN).
 *
 * @param roleArn `arn:aws:iam::…:role/…`, the role and not the instance profile
 * @returns 48 bytes
 *
 * Source: AWS Nitro Enclaves User Guide, "Where to get an enclave's measurements".
 */
export function measureInstanceRole(roleArn: string): Uint8Array {
  return extendPcr(zeroPcr(), utf8.encode(roleArn));
}

/**
 * Computes PCR4 of an enclave on this parent instance: SHA-384(48 zero bytes ‖ id).
 *
 * @param instanceId `i-…`
 * @returns 48 bytes
 *
 * Source: AWS Nitro Enclaves User Guide, "Where to get an enclave's measurements".
 */
export function measureInstanceId(instanceId: string, hash: Sha384 = sha384): Uint8Array {
  return extendPcr(zeroPcr(), utf8.encode(instanceId), hash);
}
