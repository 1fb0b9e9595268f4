import type { AttestationErrorCode } from './errors.ts';

/**
 * Whether a refusal means that a file could not be read: a fault of its encoding, which is no verdict on the document.
 *
 * @param code the code of an AttestationError
 */
export function isUnreadable(code: AttestationErrorCode): boolean {
  return (
    code === 'DOCUMENT_ENCODING' ||
    code === 'CERTIFICATE_ENCODING' ||
    (code.startsWith('PCR_FILE_') && code !== 'PCR_FILE_ZERO')
  );
}
