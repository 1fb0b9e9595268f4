import {
  DecryptCommand,
  type DecryptCommandOutput,
  GenerateDataKeyCommand,
  type GenerateDataKeyCommandOutput,
  KMSClient,
  KMSServiceException,
} from '@aws-sdk/client-kms';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { kmsHost } from '../../shared/aws/kms-host.ts';
import type { Manifest } from '../../shared/documents/manifest.ts';
import { encryptionContext, PASSWORD_SECRET } from '../../shared/documents/encryption-context.ts';
import type { Credentials } from '../../shared/protocol/control.ts';
import { ControlError } from '../../shared/protocol/errors.ts';
import { UnlockError, type UnlockErrorCode } from './errors.ts';
import { type Dial, KmsAgent } from './kms-agent.ts';
import type { Recipient } from './recipient.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_ATTEMPTS = 3;
/** Milliseconds for all attempts of one request; the parent may withhold the bytes of any. */
const DEADLINE_MS = 15_000;

export interface KmsOptions {
  readonly manifest: Manifest;
  readonly dial: Dial;
  /** PEM of the only certificate authorities that are trusted for KMS. */
  readonly roots: readonly string[];
  readonly credentials: () => Promise<Credentials>;
  /** Attests a Recipient's public key in a fresh document: KMS takes none older than 5 minutes. */
  readonly attest: (publicKey: Uint8Array) => Promise<Uint8Array>;
  /** The node's time less the system's in milliseconds: the SDK signs by the system's time and corrects it by this. */
  readonly clockOffsetMs: number;
}

/** The two attested requests of a node. Plaintexts belong to the caller, who clears them. */
export interface Kms {
  /**
   * Decrypts a blob under the key of the manifest.
   * @throws UnlockError KMS_…, CMS_…; ControlError of the credentials
   */
  decrypt(blob: Uint8Array, recipient: Recipient): Promise<Uint8Array>;
  /** Generates 32 bytes, and the blob that decrypts to them. @throws UnlockError, ControlError like `decrypt` */
  generateDataKey(recipient: Recipient): Promise<{ blob: Uint8Array; plaintext: Uint8Array }>;
  close(): void;
}

/**
 * Creates the client of AWS KMS. KeyId and EncryptionContext come from the measured manifest, and each request has a
 * Recipient, https://docs.aws.amazon.com/kms/latest/developerguide/cryptographic-attestation.html
 */
export function createKms({ manifest, dial, roots, credentials, attest, clockOffsetMs }: KmsOptions): Kms {
  const { keyArn, region } = manifest.kms;
  const client = new KMSClient({
    region,
    endpoint: `https://${kmsHost(region)}`,
    credentials: async () => {
      const { accessKeyId, secretAccessKey, sessionToken, expiration } = await credentials();
      return {
        accessKeyId,
        secretAccessKey,
        ...(sessionToken === null ? {} : { sessionToken }),
        ...(expiration === null ? {} : { expiration: new Date(expiration) }),
      };
    },
    systemClockOffset: clockOffsetMs,
    maxAttempts: MAX_ATTEMPTS,
    // Explicit, so that the SDK reads neither the environment nor files.
    retryMode: 'standard',
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    defaultsMode: 'standard',
    userAgentAppId: 'holdfast',
    requestHandler: new NodeHttpHandler({
      httpsAgent: new KmsAgent(dial, roots),
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      // Without this option the SDK only logs a warning when the time is over.
      throwOnRequestTimeout: true,
    }),
  });
  const context = encryptionContext(manifest, PASSWORD_SECRET);

  async function makeRecipient(recipient: Recipient) {
    return {
      AttestationDocument: await attest(recipient.publicKey),
      KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256' as const,
    };
  }

  return {
    decrypt: async (blob, recipient) => {
      const command = new DecryptCommand({
        KeyId: keyArn,
        EncryptionContext: context,
        EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
        CiphertextBlob: blob,
        Recipient: await makeRecipient(recipient),
      });
      const response = await client
        .send(command, { abortSignal: AbortSignal.timeout(DEADLINE_MS) })
        .catch(rethrow);
      return openResponse(response, keyArn, recipient);
    },
    generateDataKey: async (recipient) => {
      const command = new GenerateDataKeyCommand({
        KeyId: keyArn,
        EncryptionContext: context,
        KeySpec: 'AES_256',
        Recipient: await makeRecipient(recipient),
      });
      const response = await client
        .send(command, { abortSignal: AbortSignal.timeout(DEADLINE_MS) })
        .catch(rethrow);
      const plaintext = openResponse(response, keyArn, recipient);
      if (response.CiphertextBlob === undefined || response.CiphertextBlob.length === 0) {
        plaintext.fill(0);
        throw new UnlockError('KMS_REFUSED', 'expected a CiphertextBlob in the response of KMS, found none');
      }
      return { blob: new Uint8Array(response.CiphertextBlob), plaintext };
    },
    close: () => client.destroy(),
  };
}

function openResponse(
  response: DecryptCommandOutput | GenerateDataKeyCommandOutput,
  keyArn: string,
  recipient: Recipient,
): Uint8Array {
  if (response.Plaintext !== undefined && response.Plaintext.length > 0) {
    response.Plaintext.fill(0);
    throw new UnlockError(
      'KMS_PLAINTEXT_RETURNED',
      'expected a CiphertextForRecipient in the response of KMS, found a Plaintext: the Recipient was dropped',
    );
  }
  if (response.CiphertextForRecipient === undefined) {
    throw new UnlockError(
      'KMS_RECIPIENT_MISSING',
      'expected a CiphertextForRecipient in the response of KMS, found none',
    );
  }
  if (response.KeyId !== keyArn) {
    throw new UnlockError(
      'KMS_KEY_MISMATCH',
      'the response of KMS is of another key than the manifest names',
      {
        expected: keyArn,
        actual: response.KeyId,
      },
    );
  }
  return recipient.open(response.CiphertextForRecipient);
}

const REFUSALS: Readonly<Record<string, UnlockErrorCode>> = {
  AccessDeniedException: 'KMS_ACCESS_DENIED',
  IncorrectKeyException: 'KMS_INCORRECT_KEY',
  InvalidCiphertextException: 'KMS_INVALID_CIPHERTEXT',
};

/** TLS alerts and verification errors of OpenSSL, as Node names them. */
const UNTRUSTED =
  /^(?:UNABLE_TO_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|ERR_TLS_CERT|ERR_SSL_|EPROTO|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/;

function rethrow(error: unknown): never {
  if (error instanceof KMSServiceException) {
    const code = REFUSALS[error.name] ?? 'KMS_REFUSED';
    throw new UnlockError(code, `KMS refused: ${error.name}`, {
      reason: error.name,
      requestId: error.$metadata.requestId,
    });
  }
  // The parent gave no credentials, or malformed ones, and KMS was not called.
  if (error instanceof ControlError) throw error;
  const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  // The cause is left out, since it may quote the request.
  if (UNTRUSTED.test(reason)) {
    throw new UnlockError(
      'KMS_UNTRUSTED',
      'the certificate of the server does not lead to a root that the image trusts',
      { reason },
    );
  }
  throw new UnlockError('KMS_UNREACHABLE', 'KMS was not reached', { reason });
}
