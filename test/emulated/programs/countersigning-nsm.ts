import { unsafeParseAttestationDocument } from '../../../attestation/index.ts';
import {
  MAX_NSM_REQUEST_BYTES,
  MAX_NSM_RESPONSE_BYTES,
  type NsmDevice,
} from '../../../enclave/nsm/device.ts';
import type { EnclaveChain } from '../../../local/nsm/root.ts';
import { signDocument } from '../../../local/nsm/sign-document.ts';
import { decodeCbor, encodeCbor, toPlainCbor } from '../../../shared/cbor/index.ts';

const NAME = 'Attestation';

/** Reads the body of a message of the NSM under one name; undefined where it has another name, or is none. */
function bodyOf(message: Uint8Array, maxBytes: number): object | undefined {
  const value = toPlainCbor(decodeCbor(message, { maxBytes, maxDepth: 3 }));
  const body =
    typeof value === 'object' && value !== null ? (Reflect.get(value, NAME) as unknown) : undefined;
  return typeof body === 'object' && body !== null ? body : undefined;
}

/**
 * Signs the documents of a device that leaves them unsigned, as the emulator's does. Module, time, PCRs, nonce, key and
 * user_data stay what the device has written; certificates and signature alone are of the chain. Every other request goes
 * to the device and back as it is.
 */
export function countersignDocuments(device: NsmDevice, chain: Omit<EnclaveChain, 'notAfter'>): NsmDevice {
  return {
    close: () => device.close(),
    exchange: async (request) => {
      const response = await device.exchange(request);
      if (bodyOf(request, MAX_NSM_REQUEST_BYTES) === undefined) return response;
      const body = bodyOf(response, MAX_NSM_RESPONSE_BYTES);
      const document = body === undefined ? undefined : (Reflect.get(body, 'document') as unknown);
      if (!(document instanceof Uint8Array)) return response;
      const { payload } = unsafeParseAttestationDocument(document);
      return encodeCbor({ [NAME]: { document: signDocument(payload, chain) } });
    },
  };
}
