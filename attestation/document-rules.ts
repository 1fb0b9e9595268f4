import type { AttestationPayload, DocumentKind } from './document.ts';
import { AttestationError, type AttestationErrorCode } from './errors.ts';
import { MAX_PCR_INDEX, PCR_BYTES } from './pcr.ts';

/**
 * Maximum length of public_key, user_data and nonce in bytes. AWS's pages say both 512 and 1024 for user_data; genuine
 * documents carry 746 bytes.
 */
export const MAX_USER_BYTES = 1024;
/** Maximum length of a certificate in DER, in bytes: "Verifying the root of trust". */
export const MAX_CERTIFICATE_BYTES = 1024;

/** Maximum number of certificates in a cabundle. AWS sends four. */
export const MAX_CABUNDLE_LENGTH = 16;

/**
 * Earliest timestamp, in milliseconds since 1970: the Nitro Enclaves root is of 28 October 2019, and nothing was signed
 * before it. A smaller number is a time in seconds.
 */
export const MIN_TIMESTAMP = Date.UTC(2019, 9, 28);
/** Latest timestamp, in milliseconds since 1970: the end of the year 9999. A larger number is a time in microseconds. */
export const MAX_TIMESTAMP = Date.UTC(10000, 0, 1) - 1;

/** Characters of a module_id. The hypervisor writes `i-…-enc…`; control codes would reach the terminal of an auditor. */
const MODULE_ID = /^[\x21-\x7e]{1,128}$/;

/**
 * Checks the fields of a payload against AWS's rules: "Verifying the root of trust" in the AWS Nitro Enclaves
 * documentation; where that page leaves a choice, the narrower one that genuine documents keep.
 *
 * @throws AttestationError `DOCUMENT_…` with the field, its index, what was expected and what was found
 */
export function assertPayload(payload: AttestationPayload, kind: DocumentKind): void {
  if (payload.kind !== kind) {
    throw new AttestationError('DOCUMENT_KIND', `the document is of kind ${payload.kind}: expected ${kind}`, {
      field: payload.kind === 'enclave' ? 'pcrs' : 'nitrotpm_pcrs',
      expected: kind,
      actual: payload.kind,
    });
  }
  const { moduleId, digest, timestamp } = payload;
  if (!MODULE_ID.test(moduleId))
    throw refusal('DOCUMENT_MODULE_ID', 'module_id', '1 to 128 printable characters');
  if (digest !== 'SHA384') throw refusal('DOCUMENT_DIGEST', 'digest', 'SHA384', digest);
  if (timestamp < MIN_TIMESTAMP || timestamp > MAX_TIMESTAMP) {
    throw refusal('DOCUMENT_TIMESTAMP', 'timestamp', 'milliseconds since 1970', timestamp);
  }
  assertPcrs(payload);
  assertLength('certificate', payload.certificate, 1, MAX_CERTIFICATE_BYTES);
  const { length } = payload.cabundle;
  if (length === 0 || length > MAX_CABUNDLE_LENGTH) {
    throw refusal('DOCUMENT_CABUNDLE_LENGTH', 'cabundle', `1 to ${MAX_CABUNDLE_LENGTH} certificates`, length);
  }
  payload.cabundle.forEach((certificate, index) => {
    assertLength('cabundle', certificate, 1, MAX_CERTIFICATE_BYTES, index);
  });
  assertLength('public_key', payload.publicKey, 1, MAX_USER_BYTES);
  assertLength('user_data', payload.userData, 0, MAX_USER_BYTES);
  assertLength('nonce', payload.nonce, 0, MAX_USER_BYTES);
}

function assertPcrs({ kind, pcrs }: AttestationPayload): void {
  const field = kind === 'enclave' ? 'pcrs' : 'nitrotpm_pcrs';
  const most = MAX_PCR_INDEX + 1;
  if (pcrs.size === 0 || pcrs.size > most)
    throw refusal('DOCUMENT_PCR_COUNT', field, `1 to ${most} PCRs`, pcrs.size);
  for (const [index, content] of pcrs) {
    if (index < 0 || index > MAX_PCR_INDEX) {
      throw refusal('DOCUMENT_PCR_INDEX', field, `0 to ${MAX_PCR_INDEX}`, index, index);
    }
    if (content.length !== PCR_BYTES) {
      throw refusal('DOCUMENT_PCR_LENGTH', field, `${PCR_BYTES} bytes`, content.length, index);
    }
  }
}

function assertLength(
  field: string,
  value: Uint8Array | null,
  least: number,
  most: number,
  index?: number,
): void {
  if (value === null || (value.length >= least && value.length <= most)) return;
  throw refusal('DOCUMENT_FIELD_LENGTH', field, `${least} to ${most} bytes`, value.length, index);
}

function refusal(
  code: AttestationErrorCode,
  field: string,
  expected: string,
  actual?: string | number,
  index?: number,
): AttestationError {
  const place = index === undefined ? field : `${field}[${index}]`;
  const found = actual === undefined ? '' : `, found ${actual}`;
  return new AttestationError(code, `${place}: expected ${expected}${found}`, {
    field,
    expected,
    ...(actual === undefined ? {} : { actual }),
    ...(index === undefined ? {} : { index }),
  });
}
