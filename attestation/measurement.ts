import { sha384 } from '@noble/hashes/sha2.js';
import { PCR_BYTES } from './pcr.ts';

const utf8 = new TextEncoder();

/** The PCR that holds the node's manifest. */
export const MANIFEST_PCR = 16;

/** What every PCR holds before the first measurement. */
export function zeroPcr(): Uint8Array {
  return new Uint8Array(PCR_BYTES);
}

/** SHA-384 of a message: whoever has a faster one than ours brings it along. */
export type Sha384 = (message: Uint8Array) => Uint8Array;

/**
 * The value of a PCR after ExtendPCR with `data`: SHA-384(PCR ‖ data).
 *
 * @param pcr 48 bytes
 * @throws RangeError when it has another length
 */
export function extendPcr(pcr: Uint8Array, data: Uint8Array, hash: Sha384 = sha384): Uint8Array {
  if (pcr.length !== PCR_BYTES) throw new RangeError(`a PCR has ${PCR_BYTES} bytes`);
  const message = new Uint8Array(PCR_BYTES + data.length);
  message.set(pcr);
  message.set(data, PCR_BYTES);
  return hash(message);
}

/**
 * PCR16 of a node that was given this manifest: SHA-384(48 zero bytes ‖ SHA-384(manifest)). The enclave extends with
 * the digest, as an NSM request has room for a digest but not for every manifest.
 */
export function computeManifestPcr(manifest: Uint8Array): Uint8Array {
  return extendPcr(zeroPcr(), sha384(manifest));
}

/** PCR3 of an enclave whose parent instance has this IAM role. @param roleArn `arn:aws:iam::…:role/…` */
export function measureInstanceRole(roleArn: string): Uint8Array {
  return extendPcr(zeroPcr(), utf8.encode(roleArn));
}

/** PCR4 of an enclave on this parent instance. @param instanceId `i-…` */
export function measureInstanceId(instanceId: string, hash: Sha384 = sha384): Uint8Array {
  return extendPcr(zeroPcr(), utf8.encode(instanceId), hash);
}
