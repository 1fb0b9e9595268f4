import { AttestationError, type AttestationErrorDetails } from '../../attestation/index.ts';

/** The code and the details of the refusal that an action ends in. */
export function refusalOf(action: () => unknown): { code: string; details: AttestationErrorDetails } {
  try {
    action();
  } catch (error) {
    if (error instanceof AttestationError) return { code: error.code, details: error.details };
    throw error;
  }
  return { code: 'TAKEN', details: {} };
}
