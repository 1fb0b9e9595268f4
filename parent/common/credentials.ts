import type { Credentials } from '../../shared/protocol/control.ts';
import { HoldfastError } from '../../shared/errors.ts';

export type CredentialErrorCode = 'CREDENTIALS_UNAVAILABLE';

export class CredentialError extends HoldfastError<CredentialErrorCode> {}

/** Provider of the AWS SDK, with the fields that are used here. */
export type AwsProvider = () => Promise<{
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  readonly expiration?: Date | undefined;
}>;

export interface CredentialSource {
  /** Gives valid credentials. @throws CredentialError CREDENTIALS_UNAVAILABLE when there are none */
  readonly get: () => Promise<Credentials>;
  /** Expiry of the last credentials, milliseconds since 1970; null while there are none, or where they never expire. */
  readonly expiration: () => number | null;
}

/** Milliseconds before their expiry at which credentials are renewed: EC2 has new ones five minutes before. */
const REFRESH_BEFORE_MS = 5 * 60_000;
/** Milliseconds after which credentials without an expiry are renewed: an operator may have rotated them. */
const REFRESH_UNDATED_MS = 10 * 60_000;

/**
 * Keeps temporary credentials and renews them before they expire. A failed renewal leaves the old ones in use until
 * they expire. Credentials go to the enclave over vsock, and never into a log.
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
