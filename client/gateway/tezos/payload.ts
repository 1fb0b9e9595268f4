import { encodeBase58 } from '../../../policy/transactions/tezos/index.ts';
import type { TransactionPayload } from '../../../shared/api/payloads.ts';
import { REFUSALS } from './errors.ts';

/** Kinds of requests in Signatory's words. */
export type RequestKind =
  'generic' | 'block' | 'preattestation' | 'attestation' | 'attestation_with_dal' | 'pack';

/** What a client asks to have signed: where its first byte sends it, unread beyond that. */
export interface TezosPayload {
  readonly kind: RequestKind;
  readonly payload: TransactionPayload;
  /** Chain id in Base58Check that the payload seems to name; undefined where its kind names none. */
  readonly chain: string | undefined;
}

const CHAIN_START = 1;
const CHAIN_END = 5;
/** Place of the tag that tells an attestation with DAL content, and its value there. */
const TAG_PLACE = 37;
const ATTESTATION_WITH_DAL = 23;

/**
 * Chooses the kind of payload by its first byte. The enclave reads the whole and decides on that; what is chosen here only
 * says which of its readers has to take every byte.
 *
 * @throws TezosRefusal PAYLOAD_UNKNOWN, SIGNER_REQUEST_MALFORMED
 */
export function choosePayload(bytes: Uint8Array): TezosPayload {
  const [first] = bytes;
  const hex = Buffer.from(bytes).toString('hex');
  switch (first) {
    case undefined:
      throw REFUSALS.malformed('gotez: unexpected end of the payload');
    case 0x03:
      return { kind: 'generic', payload: { kind: 'tezos-operation', operation: hex }, chain: undefined };
    case 0x05:
      return { kind: 'pack', payload: { kind: 'tezos-data', data: hex }, chain: undefined };
    case 0x11:
    case 0x12:
    case 0x13: {
      const chain = bytes.subarray(CHAIN_START, CHAIN_END);
      return {
        kind: first === 0x11 ? 'block' : first === 0x12 ? 'preattestation' : nameAttestation(bytes),
        payload: { kind: 'tezos-consensus', operation: hex },
        chain: chain.length === CHAIN_END - CHAIN_START ? encodeBase58('chain', chain) : undefined,
      };
    }
    default:
      throw REFUSALS.unknownTag(first);
  }
}

function nameAttestation(bytes: Uint8Array): RequestKind {
  return bytes[TAG_PLACE] === ATTESTATION_WITH_DAL ? 'attestation_with_dal' : 'attestation';
}
