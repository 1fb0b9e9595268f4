import type { DocumentKind } from '../../../attestation/index.ts';
import { AT, type ChainChanges } from '../forge/chain.ts';
import { forgeDocument, forgedPcr, type DocumentParts } from '../forge/document.ts';

/** Content of a vector file: see docs/attestation-vectors.md. */
export interface Vector {
  /** Name as `group/name`, like the file's. */
  readonly name: string;
  /** The row of pitfalls, or the clause, that it is about. */
  readonly rule: string;
  readonly about: string;
  readonly expect: Expectation;
  /** Time in ISO 8601, or `document`. */
  readonly at: string;
  readonly options: VectorOptions;
  /** Text of a pcr.json. */
  readonly pcrs: string;
  /** Root certificate, DER in base64. */
  readonly root: string;
  /** Document in base64. */
  readonly document: string;
}

export type Expectation =
  | { readonly verdict: 'accept' }
  | { readonly verdict: 'refuse'; readonly code: string; readonly field?: string; readonly index?: number };

/** Options of a vector; all but `kind` and the numbers in lower-case hex. */
export interface VectorOptions {
  readonly maxAgeMs?: number;
  readonly maxClockSkewMs?: number;
  readonly allowDebug?: boolean;
  readonly kind?: DocumentKind;
  readonly nonce?: string;
  readonly userData?: string;
  readonly publicKey?: string;
}

/** Difference of a vector from the document that is right in everything. */
export interface Difference {
  readonly document?: (parts: DocumentParts) => void;
  readonly chain?: ChainChanges;
  readonly at?: number | 'document';
  readonly options?: VectorOptions;
  /** Changes what pcr.json names. */
  readonly expected?: (pcrs: Map<number, Uint8Array>) => void;
  /** Replaces the text of pcr.json. */
  readonly pcrFile?: (measurements: Record<string, string>) => string;
}

export interface Place {
  readonly field?: string;
  readonly index?: number;
}

export type VectorSource = () => Vector;

/** Vector of a document that must be refused with this code, for this one reason. */
export function refuse(
  name: string,
  rule: string,
  about: string,
  code: string,
  place: Place,
  difference: Difference,
): VectorSource {
  return () => build(name, rule, about, { verdict: 'refuse', code, ...place }, difference);
}

/** Vector of a document that must be accepted: the other side of some rule. */
export function accept(name: string, rule: string, about: string, difference: Difference): VectorSource {
  return () => build(name, rule, about, { verdict: 'accept' }, difference);
}

function build(
  name: string,
  rule: string,
  about: string,
  expect: Expectation,
  difference: Difference,
): Vector {
  const forged = forgeDocument(difference.document, difference.chain);
  const expected = new Map([0, 1, 2, 8].map((index) => [index, forgedPcr(`PCR${index}`)]));
  difference.expected?.(expected);
  const { at = AT, options = {} } = difference;
  return {
    name,
    rule,
    about,
    expect,
    at: at === 'document' ? at : new Date(at).toISOString(),
    options,
    pcrs: (difference.pcrFile ?? nitroCliFile)(measurements(expected)),
    root: toBase64(forged.root),
    document: toBase64(forged.document),
  };
}

function measurements(pcrs: ReadonlyMap<number, Uint8Array>): Record<string, string> {
  return Object.fromEntries(
    [...pcrs].map(([index, value]) => [`PCR${index}`, Buffer.from(value).toString('hex')]),
  );
}

/** Formats measurements as `nitro-cli build-enclave` prints them. */
export function nitroCliFile(values: Record<string, string>): string {
  return JSON.stringify({ Measurements: { HashAlgorithm: 'Sha384 { ... }', ...values } });
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
