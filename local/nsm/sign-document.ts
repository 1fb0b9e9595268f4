import { sign } from 'node:crypto';
import { encodeCbor } from '../../shared/cbor/index.ts';
import type { EnclaveChain } from './root.ts';

/** Content of an attestation document beside its certificates. */
export interface DocumentContent {
  readonly moduleId: string;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  readonly publicKey: Uint8Array | null;
  readonly userData: Uint8Array | null;
  readonly nonce: Uint8Array | null;
}

/**
 * Signs an attestation document as a Nitro hypervisor does: a COSE_Sign1 (RFC 9052) with ES384.
 *
 * @returns the document's bytes, untagged
 */
export function signDocument(
  content: DocumentContent,
  { certificate, cabundle, privateKey }: Omit<EnclaveChain, 'notAfter'>,
): Uint8Array {
  const payload = encodeCbor({
    module_id: content.moduleId,
    digest: 'SHA384',
    timestamp: content.timestamp,
    pcrs: content.pcrs,
    certificate,
    cabundle,
    public_key: content.publicKey,
    user_data: content.userData,
    nonce: content.nonce,
  });
  const protectedHeader = encodeCbor(new Map([[1, -35]]));
  const toBeSigned = encodeCbor(['Signature1', protectedHeader, new Uint8Array(), payload]);
  const signature = sign('sha384', toBeSigned, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return encodeCbor([protectedHeader, new Map(), payload, new Uint8Array(signature)]);
}
