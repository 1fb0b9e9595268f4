import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import type { BlindPayload } from '../../shared/api/payloads.ts';
import type { DecodedPayload, SigningInput } from './transaction.ts';

/** Wraps a payload that nobody can read: one effect of type `blind`, which a rule has to name. */
export function decodeBlind(payload: BlindPayload): DecodedPayload {
  const input = toSigningInput(payload);
  const bytes = input.kind === 'message' ? input.message : input.digest;
  return {
    transaction: {
      kind: payload.kind,
      network: null,
      source: null,
      effects: [
        {
          type: 'blind',
          to: null,
          asset: null,
          amount: null,
          contract: null,
          selector: null,
          details: { bytes: String(bytes.length), sha256: bytesToHex(sha256(bytes)) },
        },
      ],
      fee: null,
      nonce: null,
      gas: null,
      features: [],
      details: {},
    },
    signings: [{ input }],
  };
}

/** Returns the bytes that a blind payload spells. */
export function toSigningInput(payload: BlindPayload): SigningInput {
  if (payload.kind === 'message') return { kind: 'message', message: hexToBytes(payload.message) };
  const digest = hexToBytes(payload.digest);
  if (payload.kind === 'digest') return { kind: 'digest', digest };
  return { kind: 'taproot-sighash', digest, merkleRoot: hexToBytes(payload.merkleRoot) };
}
