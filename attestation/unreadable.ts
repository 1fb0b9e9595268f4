import type { AttestationErrorCode } from './errors.ts';

/** Whether a refusal is about how a file is written, so that nothing is said of what it holds: no verdict. */
export function isUnreadable(code: AttestationErrorCode): boolean {
  return (
    code === 'DOCUMENT_ENCODING' ||
    code === 'CERTIFICATE_ENCODING' ||
    (code.startsWith('PCR_FILE_') && code !== 'PCR_FILE_ZERO')
  );
}
