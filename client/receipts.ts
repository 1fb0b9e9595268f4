import { createHash } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import type { VerifySignature } from '../audit/log/index.ts';
import {
  readReceiptNode,
  type Receipt,
  ReceiptError,
  unsafeParseReceipt,
  type VerifiedReceipt,
  verifyReceipt,
} from '../audit/receipt/index.ts';
import type { SignRequest } from '../shared/api/bodies.ts';
import { type DigestedRequest, digestRequest } from '../shared/api/request-digest.ts';
import { digestManifest } from '../shared/documents/manifest.ts';
import type { NodeIdentity } from './node-identity.ts';
import type { Signed } from './responses.ts';

/** The parts of a response, or of a NodeRefusal, that its receipt is about. */
export interface Decided extends Partial<Pick<Signed, 'signature' | 'inputs'>> {
  readonly receipt?: Receipt | undefined;
}

/** What a receipt has to be about. */
export interface ReceiptSubject {
  /** Identity of the boot that decided, from `attestNode` or `NodeClient.attest`. */
  readonly identity: NodeIdentity;
  /** Bytes of the node's manifest, which the identity was verified against. */
  readonly manifest: Uint8Array;
  /** A request to sign; or any other, with the operation that the policy decides on, as its digest covers it. */
  readonly request: (SignRequest & { readonly client: string }) | DigestedRequest;
}

/**
 * Verifies the receipt of a response to a request for a signature, or of its refusal: the key that the attestation document
 * vouches for has signed an entry of this node and boot, about this very request and every signature of the response. A
 * proof of the entry's place in the log is verified where there is one; witnesses' cosignatures are not, since only the
 * configuration names their keys: `holdfast receipt verify --configuration`.
 *
 * @returns the entry: outcome, rule, reasons, approvals
 * @throws ReceiptError RECEIPT_MALFORMED where there is no receipt, and every other code
 * @throws LogError for the proof
 *
 * Source: audit/receipt/SPEC.md.
 *
 * @example
 * ```ts
 * import { createPrivateKey } from 'node:crypto';
 * import { readFile } from 'node:fs/promises';
 * import { AWS_NITRO_ROOT_G1, parsePcrFile } from '@holdfast-nodes/holdfast/attestation';
 * import { connectNode, documentReceipt, verifyResponseReceipt } from '@holdfast-nodes/holdfast/client';
 *
 * const manifest = await readFile('manifest.json');
 * const node = await connectNode({
 *   url: 'https://node-1.example:8443',
 *   trust: { root: AWS_NITRO_ROOT_G1, pcrs: parsePcrFile(await readFile('pcr.json')), manifest },
 *   clientId: 'backend',
 *   privateKey: createPrivateKey(await readFile('client.pem')),
 * });
 * const identity = await node.attest();
 * const request = {
 *   key: 'ethereum-hot',
 *   algorithm: 'ecdsa-secp256k1',
 *   payload: { kind: 'digest', digest: '5e'.repeat(32) },
 * };
 * const response = await node.sign(request);
 * const { entry } = verifyResponseReceipt(response, {
 *   identity,
 *   manifest,
 *   request: { ...request, client: 'backend' },
 * });
 * console.log(entry.predicate.outcome, entry.predicate.rule); // permitted any
 * const kept = documentReceipt(response.receipt, identity); // for holdfast receipt verify, years later
 * console.log(kept.format); // holdfast-receipt/1
 * node.close();
 * ```
 */
export function verifyResponseReceipt(
  response: Decided,
  { identity, manifest, request }: ReceiptSubject,
): VerifiedReceipt {
  const { receipt, signature, inputs } = response;
  if (receipt === undefined) throw new ReceiptError('RECEIPT_MALFORMED', 'the response has no receipt');
  const node = readReceiptNode(identity.document, hex(digestManifest(manifest)));
  const parsed = unsafeParseReceipt(new TextEncoder().encode(JSON.stringify(receipt)));
  const requestDigest = hex(digestRequest({ operation: 'sign', ...request }));
  const signatures = inputs?.map((input) => input.signature) ?? (signature === undefined ? [] : [signature]);
  const verified = verifyReceipt(parsed, node, { requestDigest }, verifyEd25519);
  for (const each of signatures) {
    verifyReceipt(parsed, node, { requestDigest, signatureDigest: digestSignature(each) }, verifyEd25519);
  }
  return verified;
}

/** Puts the attestation document that vouches for a receipt into it, so that the receipt can be verified by itself. */
export function documentReceipt(receipt: Receipt, { documentBytes }: NodeIdentity): Receipt {
  return { ...receipt, document: Buffer.from(documentBytes).toString('base64') };
}

/** Verifies the keys of receipts and logs, on every version of Node that the package runs on. */
const verifyEd25519: VerifySignature = ({ type, publicKey }, message, signature) =>
  type === 'ed25519' && ed25519.verify(signature, message, publicKey, { zip215: false });

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const digestSignature = (signature: string) =>
  createHash('sha256').update(Buffer.from(signature, 'hex')).digest('hex');
