import { sha384 } from '@noble/hashes/sha2.js';
import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { measureInstanceId, zeroPcr } from '../../../attestation/index.ts';
import * as cbor from './cbor.ts';
import { AT, forgeChain, ROLES, type ChainChanges } from './chain.ts';
import { forgeKey, sign } from './keys.ts';

export const INSTANCE_ID = 'i-0123456789abcdef0';
export const MODULE_ID = `${INSTANCE_ID}-enc0123456789abcdef`;

/** Fields of a payload, as the bytes of their CBOR; undefined leaves a field out. */
export interface PayloadFields {
  module_id?: Uint8Array;
  digest?: Uint8Array;
  timestamp?: Uint8Array;
  pcrs?: Uint8Array;
  certificate?: Uint8Array;
  cabundle?: Uint8Array;
  public_key?: Uint8Array;
  user_data?: Uint8Array;
  nonce?: Uint8Array;
  nitrotpm_pcrs?: Uint8Array;
}

export interface DocumentParts {
  /** Certificates from the root down, without the leaf. */
  cabundle: Uint8Array[];
  leaf: Uint8Array;
  root: Uint8Array;
  pcrs: Map<number, Uint8Array>;
  fields: PayloadFields;
  /** Makes the payload of the fields in their order. */
  encodePayload: (entries: cbor.Entry[]) => Uint8Array;
  /** Serialised protected header. */
  protectedHeader: Uint8Array;
  /** Unprotected header in CBOR. */
  unprotectedHeader: Uint8Array;
  /** Name of the key that signs. */
  signer: string;
  alterSignature: (signature: Uint8Array) => Uint8Array;
  /** Encodes the four members, in CBOR. */
  encodeMessage: (members: Uint8Array[]) => Uint8Array;
  alter: (document: Uint8Array) => Uint8Array;
}

export interface ForgedDocument {
  readonly document: Uint8Array;
  readonly root: Uint8Array;
  readonly pcrs: Map<number, Uint8Array>;
}

/** Value of a PCR in a forged document. */
export function forgedPcr(label: string): Uint8Array {
  return sha384(utf8ToBytes(label));
}

const same = (bytes: Uint8Array): Uint8Array => bytes;

export function encodePcrs(pcrs: ReadonlyMap<number, Uint8Array>): Uint8Array {
  return cbor.map([...pcrs].map(([index, value]) => [cbor.integer(index), cbor.bytes(value)]));
}

/** Forges a document as it should be, with the chain changed, and then its own parts. */
export function forgeDocument(
  change: (parts: DocumentParts) => void = () => undefined,
  chainChanges: ChainChanges = {},
): ForgedDocument {
  const chain = forgeChain(chainChanges);
  const parts: DocumentParts = {
    cabundle: ROLES.slice(0, -1).map((role) => chain[role]),
    leaf: chain.leaf,
    root: chain.root,
    pcrs: defaultPcrs(),
    fields: {},
    encodePayload: cbor.map,
    protectedHeader: hexToBytes('a1013822'),
    unprotectedHeader: cbor.map([]),
    signer: 'leaf',
    alterSignature: same,
    encodeMessage: cbor.array,
    alter: same,
  };
  change(parts);
  return { document: assemble(parts), root: parts.root, pcrs: parts.pcrs };
}

/** PCRs of a signed, running image: 0-2 and 8 measured, 3 and 4 of the parent, the others zero up to 15. */
export function defaultPcrs(): Map<number, Uint8Array> {
  const pcrs = new Map(Array.from({ length: 16 }, (_, index) => [index, zeroPcr()]));
  for (const index of [0, 1, 2, 3, 8]) pcrs.set(index, forgedPcr(`PCR${index}`));
  pcrs.set(4, measureInstanceId(INSTANCE_ID));
  return pcrs;
}

function assemble(parts: DocumentParts): Uint8Array {
  const fields: PayloadFields = {
    module_id: cbor.text(MODULE_ID),
    digest: cbor.text('SHA384'),
    timestamp: cbor.integer(AT),
    pcrs: encodePcrs(parts.pcrs),
    certificate: cbor.bytes(parts.leaf),
    cabundle: cbor.array(parts.cabundle.map(cbor.bytes)),
    public_key: cbor.NULL,
    user_data: cbor.NULL,
    nonce: cbor.NULL,
    ...parts.fields,
  };
  const entries: cbor.Entry[] = [];
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined) entries.push([cbor.text(key), value]);
  }
  const payload = parts.encodePayload(entries);
  const signed = cbor.array([
    cbor.text('Signature1'),
    cbor.bytes(parts.protectedHeader),
    cbor.bytes(new Uint8Array()),
    cbor.bytes(payload),
  ]);
  const signature = parts.alterSignature(sign(forgeKey(parts.signer), signed));
  const members = [cbor.bytes(parts.protectedHeader), parts.unprotectedHeader, cbor.bytes(payload)];
  return parts.alter(parts.encodeMessage([...members, cbor.bytes(signature)]));
}
