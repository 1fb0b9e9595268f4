import { hash, type KeyObject, verify } from 'node:crypto';
import { computeContentDigest } from './content-digest.ts';
import { HttpSignatureError } from './errors.ts';
import { type ReplayCache, SIGNATURE_WINDOW_SECONDS } from './replay-cache.ts';
import {
  buildSignatureBase,
  type Component,
  deriveComponents,
  listComponents,
  SESSION_FIELD,
} from './signature-base.ts';
import { parseSignature, parseSignatureInput } from './signature-fields.ts';

/** A request before its body has arrived. */
export interface RequestHead {
  readonly method: string;
  /** The target as it stood in the request line. */
  readonly target: string;
  /** Names and values in turn, as Node's `rawHeaders`: joined or merged headers could hide a second one. */
  readonly rawHeaders: readonly string[];
  /** Length of the body in bytes. */
  readonly contentLength: number;
}

export interface ReceivedRequest extends Omit<RequestHead, 'contentLength'> {
  readonly body: Uint8Array;
}

/** A request whose head is signed by a client, and whose body has still to be compared with it. */
export interface SignedHead {
  readonly clientId: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly nonce: string;
  /** SHA-256 of the bytes that the client has signed, in hex: of one method, target, session, body and nonce. */
  readonly signedDigest: string;
  /**
   * Checks that the body has the signed digest, and admits the request, once.
   *
   * @throws HttpSignatureError DIGEST_MISMATCH, SIGNATURE_REPLAYED, SIGNATURE_EXPIRED, REPLAY_CACHE_FULL
   */
  readonly admit: (body: Uint8Array) => void;
}

export interface SignatureVerifier {
  /** Finds the Ed25519 public key of a client. */
  readonly findKey: (clientId: string) => KeyObject | undefined;
  /** The session of this boot. */
  readonly session: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly replay: Pick<ReplayCache, 'admit'>;
  /** Seconds after its creation at which a signature has expired; by default {@link SIGNATURE_WINDOW_SECONDS}. */
  readonly maxAgeSeconds?: number;
}

/** The fields of a request that its signature is in, or that it covers. */
export const SIGNED_FIELDS = [
  'signature-input',
  'signature',
  SESSION_FIELD,
  'content-digest',
  'content-type',
] as const;
export type SignedField = (typeof SIGNED_FIELDS)[number];
/** Methods whose requests have no body. */
const BARE_METHODS: readonly string[] = ['GET', 'HEAD'];
const FIELD_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]{0,510}[\x21-\x7e])?$/;

/** Collects the fields of a signature. @throws HttpSignatureError SIGNATURE_MALFORMED */
export function collectSignedFields(rawHeaders: readonly string[]): Partial<Record<SignedField, string>> {
  const fields: Partial<Record<SignedField, string>> = {};
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]?.toLowerCase();
    const field = SIGNED_FIELDS.find((candidate) => candidate === name);
    if (field === undefined) continue;
    const value = rawHeaders[index + 1] ?? '';
    if (fields[field] !== undefined || !FIELD_VALUE.test(value)) {
      throw new HttpSignatureError('SIGNATURE_MALFORMED', 'expected the field once, in printable ASCII', {
        field,
      });
    }
    fields[field] = value;
  }
  return fields;
}

/**
 * Verifies the one HTTP Message Signature (RFC 9421) of a request and admits it once. SPEC.md of this folder has
 * the one form that is accepted.
 *
 * @throws HttpSignatureError any of its codes
 */
export function verifyRequestSignature(
  { body, ...head }: ReceivedRequest,
  verifier: SignatureVerifier,
): { readonly clientId: string } {
  const { clientId, admit } = verifySignedHead({ ...head, contentLength: body.length }, verifier);
  admit(body);
  return { clientId };
}

/**
 * Verifies the signature of a request before its body has arrived. The signature covers the digest of the body, so that
 * no memory is spent on the body of a stranger.
 *
 * @throws HttpSignatureError SIGNATURE_MISSING, SIGNATURE_MALFORMED, SESSION_MISMATCH, CLIENT_UNKNOWN,
 *   SIGNATURE_EXPIRED, SIGNATURE_PREMATURE, SIGNATURE_INVALID
 */
export function verifySignedHead(
  request: RequestHead,
  { findKey, session, now, replay, maxAgeSeconds = SIGNATURE_WINDOW_SECONDS }: SignatureVerifier,
): SignedHead {
  const fields = collectSignedFields(request.rawHeaders);
  const hasBody = !BARE_METHODS.includes(request.method);
  if (!hasBody && request.contentLength > 0) {
    throw new HttpSignatureError(
      'SIGNATURE_MALFORMED',
      `expected no body with ${request.method}, found ${request.contentLength} bytes`,
    );
  }
  const components = listComponents(hasBody);
  const values: Partial<Record<Component, string>> = {
    ...deriveComponents(request.method, request.target),
    ...fields,
  };
  const covered = components.map((name) => [name, requirePresent(values[name], name)] as const);
  const input = parseSignatureInput(requirePresent(fields['signature-input'], 'signature-input'), components);
  const signature = parseSignature(requirePresent(fields.signature, 'signature'), input.label);

  if (fields[SESSION_FIELD] !== session)
    throw new HttpSignatureError('SESSION_MISMATCH', 'the request was signed for another session');
  const key = findKey(input.keyId);
  if (key === undefined)
    throw new HttpSignatureError('CLIENT_UNKNOWN', 'the configuration has no client of this keyid');
  const seconds = now / 1000;
  if (!(input.created >= seconds - maxAgeSeconds)) {
    throw new HttpSignatureError('SIGNATURE_EXPIRED', `created more than ${maxAgeSeconds} seconds ago`);
  }
  if (!(input.created <= seconds + SIGNATURE_WINDOW_SECONDS)) {
    throw new HttpSignatureError(
      'SIGNATURE_PREMATURE',
      `created more than ${SIGNATURE_WINDOW_SECONDS} seconds in the future`,
    );
  }
  const base = buildSignatureBase(covered, input.text);
  if (!verify(null, base, key, signature)) {
    throw new HttpSignatureError('SIGNATURE_INVALID', 'the signature does not verify');
  }
  const { keyId: clientId, created, nonce } = input;
  return {
    clientId,
    created,
    nonce,
    signedDigest: hash('sha256', base, 'hex'),
    admit: (body) => {
      if (hasBody && fields['content-digest'] !== computeContentDigest(body)) {
        throw new HttpSignatureError('DIGEST_MISMATCH', 'the body does not have the digest that was signed');
      }
      assertAdmitted(replay.admit(clientId, created, nonce, seconds));
    },
  };
}

function requirePresent(value: string | undefined, field: string): string {
  if (value === undefined) throw new HttpSignatureError('SIGNATURE_MISSING', 'a field is missing', { field });
  return value;
}

function assertAdmitted(admission: ReturnType<ReplayCache['admit']>): void {
  switch (admission) {
    case 'admitted':
      return;
    case 'replayed':
      throw new HttpSignatureError('SIGNATURE_REPLAYED', 'this request was accepted before');
    case 'expired':
      throw new HttpSignatureError(
        'SIGNATURE_EXPIRED',
        'created before the oldest request that is remembered',
      );
    case 'full':
      throw new HttpSignatureError('REPLAY_CACHE_FULL', 'too many requests to remember');
  }
}
