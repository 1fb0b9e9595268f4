import type { AttestationPayload, DocumentKind } from './document.ts';
import { AttestationError, type AttestationErrorCode } from './errors.ts';
import { MAX_PCR_INDEX, PCR_BYTES } from './pcr.ts';

/** AWS's pages say both 512 and 1024 for user_data; genuine documents carry 746 bytes. */
export const MAX_USER_BYTES = 1024;
export const MAX_CERTIFICATE_BYTES = 1024;

/** AWS sends four. The payload's own limit would leave room for some more than this. */
export const MAX_CABUNDLE_LENGTH = 16;

/** The Nitro Enclaves root is of 28 October 2019: nothing was signed before, so an earlier time is in seconds. */
export const MIN_TIMESTAMP = Date.UTC(2019, 9, 28);
/** The end of the year 9999: a later time is in microseconds. */
export const MAX_TIMESTAMP = Date.UTC(10000, 0, 1) - 1;

/** What the hypervisor writes is `i-…-enc…`; what is printed in a verdict is this and no terminal's control codes. */
const MODULE_ID = /^[\x21-\x7e]{1,128}$/;

/**
 * Checks the rules for the fields: "Verifying the root of trust" in the AWS Nitro Enclaves documentation, where it
 * leaves a choice the narrower one that genuine documents keep.
 *
 * @throws AttestationError `DOCUMENT_…` with the field, its index, what was expected and what was found
 */
export function assertPayload(payload: AttestationPayload, kind: DocumentKind): void {
  if (payload.kind !== kind) {
    throw new AttestationError('DOCUMENT_KIND', `a document of kind ${payload.kind}, not ${kind}`, {
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
  return new AttestationError(code, `${place}: expected ${expected}`, {
    field,
    expected,
    ...(actual === undefined ? {} : { actual }),
    ...(index === undefined ? {} : { index }),
  });
}
