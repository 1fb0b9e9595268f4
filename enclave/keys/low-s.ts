/**
 * The same ECDSA signature (r ‖ s, 32 bytes each) with the lower of s and n − s: both verify, and a rule that admits
 * only one leaves a third party nothing to alter (SEC 1, 4.1.3; BIP-146). Changes `signature` in place.
 */
export function normaliseLowS(signature: Buffer, order: bigint): Uint8Array {
  const s = BigInt(`0x${signature.toString('hex', 32)}`);
  if (s > order >> 1n) signature.write((order - s).toString(16).padStart(64, '0'), 32, 'hex');
  return signature;
}
