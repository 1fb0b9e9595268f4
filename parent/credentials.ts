import type { Credentials } from '../shared/protocol/control.ts';
import { HoldfastError } from '../shared/errors.ts';

export type CredentialErrorCode = 'CREDENTIALS_UNAVAILABLE';

export class CredentialError extends HoldfastError<CredentialErrorCode> {}

/** What the AWS SDK's providers return, as far as it matters here. */
export type AwsProvider = () => Promise<{
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  readonly expiration?: Date | undefined;
}>;

export interface CredentialSource {
  /** @throws CredentialError CREDENTIALS_UNAVAILABLE when there are none that are still valid */
  readonly get: () => Promise<Credentials>;
  /** Milliseconds since 1970 at which the last ones expire; null while there are none, or for ever. */
  readonly expiration: () => number | null;
}

/** Asked for anew when they are that close to their end: EC2 has new ones five minutes before. */
const REFRESH_BEFORE_MS = 5 * 60_000;
/** Those without an end are asked for again this often: somebody may have rotated them. */
const REFRESH_UNDATED_MS = 10 * 60_000;

/**
 * Keeps temporary credentials and renews them before they expire. A renewal that fails leaves the old ones in use until
 * their end. They are handed to the enclave over vsock and never logged.
 */
export function createCredentialSource(
  provider: AwsProvider,
  clock: () => number = Date.now,
): CredentialSource {
  let current: Credentials | undefined;
  let renewAt = 0;
  let pending: Promise<Credentials> | undefined;

  async function renew(): Promise<Credentials> {
    try {
      const { accessKeyId, secretAccessKey, sessionToken, expiration } = await provider();
      const end = expiration?.getTime() ?? null;
      current = Object.freeze({
        accessKeyId,
        secretAccessKey,
        sessionToken: sessionToken ?? null,
        expiration: end,
      });
      renewAt = end === null ? clock() + REFRESH_UNDATED_MS : end - REFRESH_BEFORE_MS;
      return current;
    } catch (error) {
      if (current !== undefined && (current.expiration ?? Infinity) > clock()) return current;
      throw new CredentialError('CREDENTIALS_UNAVAILABLE', 'no AWS credentials', {}, error);
    }
  }

  return {
    async get() {
      if (current !== undefined && clock() < renewAt) return current;
      pending ??= renew().finally(() => {
        pending = undefined;
      });
      return await pending;
    },
    expiration: () => current?.expiration ?? null,
  };
}
