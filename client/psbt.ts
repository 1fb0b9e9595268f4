import { addSignatures } from '../policy/transactions/bitcoin/index.ts';
import { decodeBase64, encodeBase64 } from '../shared/base64.ts';
import type { Signed } from './responses.ts';

/**
 * Puts a node's signatures into the PSBT that was sent to it, as a BIP-174 Signer does; any library finalises it.
 *
 * @param psbt in base64
 * @param response the response of `sign` or `resume` to a `bitcoin-transaction`
 * @returns the PSBT in base64
 * @throws TypeError for a PSBT that is not base64, or a response without signatures of inputs
 * @throws TransactionError where the PSBT is malformed, or an input is signed by the key already
 *
 * Source: BIP-174, BIP-370, BIP-371.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { addPsbtSignatures } from '@holdfast-nodes/holdfast/client';
 *
 * const psbt = await readFile('psbt.base64', 'utf8');
 * const response = JSON.parse(await readFile('psbt.response.json', 'utf8'));
 * const signed = addPsbtSignatures(psbt, response);
 * console.log(signed.length > psbt.length); // true
 * ```
 */
export function addPsbtSignatures(psbt: string, { inputs }: Pick<Signed, 'inputs'>): string {
  const bytes = decodeBase64(psbt);
  if (bytes === undefined) throw new TypeError('psbt is base64, as it was sent to the node');
  if (inputs === undefined) throw new TypeError('response.inputs: expected signatures of a PSBT, found none');
  const signatures = inputs.map(({ index, publicKey, signature }) => ({
    index,
    publicKey: new Uint8Array(Buffer.from(publicKey, 'hex')),
    signature: new Uint8Array(Buffer.from(signature, 'hex')),
  }));
  return encodeBase64(addSignatures(bytes, signatures));
}
