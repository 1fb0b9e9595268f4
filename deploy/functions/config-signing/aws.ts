import { ConfigSigningError } from './errors.ts';

/**
 * The answer of KMS or S3; of an error, its name alone, since a message may quote more.
 *
 * @param expected names of errors that the caller acts upon, for which there is undefined
 * @throws ConfigSigningError SIGNING_UNAVAILABLE
 */
export async function ask<Response>(
  operation: string,
  response: Promise<Response>,
  expected: readonly string[] = [],
): Promise<Response | undefined> {
  try {
    return await response;
  } catch (error) {
    const name = error instanceof Error ? error.name : 'unknown';
    if (expected.includes(name)) return undefined;
    throw new ConfigSigningError('SIGNING_UNAVAILABLE', 'AWS refused or did not answer', {
      operation,
      error: name,
    });
  }
}
