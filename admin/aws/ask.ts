import { AdminError } from '../errors.ts';

const MAX_REASON_LENGTH = 500;
/** Names by which services refuse credentials whose time is over. */
const EXPIRED: readonly string[] = ['ExpiredToken', 'ExpiredTokenException', 'RequestExpired'];

/**
 * The answer of one request to AWS.
 *
 * @param named errors that the caller expects: what it makes of them, by name
 * @throws AdminError AWS_CREDENTIALS, AWS_CREDENTIALS_EXPIRED, AWS_REFUSED, AWS_UNREACHABLE, INTERRUPTED
 */
export async function askAws<Response>(
  operation: string,
  answer: Promise<Response>,
  named: Readonly<Record<string, () => Response>> = {},
): Promise<Response> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof AdminError || !(error instanceof Error)) throw error;
    const { name, message, $metadata, code } = error as AwsError;
    const expected = Object.hasOwn(named, name) ? named[name] : undefined;
    if (expected !== undefined) return expected();
    if (name === 'AbortError') throw new AdminError('INTERRUPTED', 'interrupted', { operation });
    if (name === 'CredentialsProviderError' || name === 'TokenProviderError') {
      throw new AdminError('AWS_CREDENTIALS', 'no AWS credentials', { operation });
    }
    if (EXPIRED.includes(name)) {
      throw new AdminError('AWS_CREDENTIALS_EXPIRED', 'the AWS credentials have expired', { operation });
    }
    if ($metadata?.httpStatusCode === undefined) {
      throw new AdminError('AWS_UNREACHABLE', 'AWS cannot be asked', { operation, error: code ?? name });
    }
    const reason = message.slice(0, MAX_REASON_LENGTH);
    throw new AdminError('AWS_REFUSED', 'AWS refused', { operation, error: name, reason });
  }
}

interface AwsError extends Error {
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}
