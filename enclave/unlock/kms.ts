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
/** Of all attempts together. The parent carries the bytes and may stop at any of them. */
const DEADLINE_MS = 15_000;

export interface KmsOptions {
  readonly manifest: Manifest;
  readonly dial: Dial;
  /** PEM of the only authorities that may speak for KMS. */
  readonly roots: readonly string[];
  readonly credentials: () => Promise<Credentials>;
  /** Attests a Recipient's public key: a fresh document for each call, since KMS takes none older than 5 minutes. */
  readonly attest: (publicKey: Uint8Array) => Promise<Uint8Array>;
  /** The node's clock in milliseconds since 1970, and the system's, which the SDK signs by. */
  readonly clockOffsetMs: number;
}

/** The two attested requests of a node. Plaintexts belong to the caller, who clears them. */
export interface Kms {
  /** @throws UnlockError KMS_…, CMS_…; ControlError of the credentials */
  decrypt(blob: Uint8Array, recipient: Recipient): Promise<Uint8Array>;
  /** @throws UnlockError KMS_…, CMS_…; ControlError of the credentials */
  generateDataKey(recipient: Recipient): Promise<{ blob: Uint8Array; plaintext: Uint8Array }>;
  close(): void;
}

/**
 * AWS KMS as the enclave sees it: KeyId and EncryptionContext from the measured manifest, a Recipient on
 * each request, https://docs.aws.amazon.com/kms/latest/developerguide/cryptographic-attestation.html
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
    // Written out, so that neither environment nor files are asked.
    retryMode: 'standard',
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    defaultsMode: 'standard',
    userAgentAppId: 'holdfast',
    requestHandler: new NodeHttpHandler({
      httpsAgent: new KmsAgent(dial, roots),
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      // Otherwise it only says so.
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
      const answer = await client
        .send(command, { abortSignal: AbortSignal.timeout(DEADLINE_MS) })
        .catch(rethrow);
      return openResponse(answer, keyArn, recipient);
    },
    generateDataKey: async (recipient) => {
      const command = new GenerateDataKeyCommand({
        KeyId: keyArn,
        EncryptionContext: context,
        KeySpec: 'AES_256',
        Recipient: await makeRecipient(recipient),
      });
      const answer = await client
        .send(command, { abortSignal: AbortSignal.timeout(DEADLINE_MS) })
        .catch(rethrow);
      const plaintext = openResponse(answer, keyArn, recipient);
      if (answer.CiphertextBlob === undefined || answer.CiphertextBlob.length === 0) {
        plaintext.fill(0);
        throw new UnlockError('KMS_REFUSED', 'KMS answered without a CiphertextBlob');
      }
      return { blob: new Uint8Array(answer.CiphertextBlob), plaintext };
    },
    close: () => client.destroy(),
  };
}

function openResponse(
  answer: DecryptCommandOutput | GenerateDataKeyCommandOutput,
  keyArn: string,
  recipient: Recipient,
): Uint8Array {
  if (answer.Plaintext !== undefined && answer.Plaintext.length > 0) {
    answer.Plaintext.fill(0);
    throw new UnlockError(
      'KMS_PLAINTEXT_RETURNED',
      'KMS answered with a Plaintext: the Recipient was dropped',
    );
  }
  if (answer.CiphertextForRecipient === undefined) {
    throw new UnlockError('KMS_RECIPIENT_MISSING', 'KMS answered without a CiphertextForRecipient');
  }
  if (answer.KeyId !== keyArn) {
    throw new UnlockError('KMS_KEY_MISMATCH', 'another key answered', {
      expected: keyArn,
      actual: answer.KeyId,
    });
  }
  return recipient.open(answer.CiphertextForRecipient);
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
  // The parent had no credentials to give, or gave what are none: KMS was not even asked.
  if (error instanceof ControlError) throw error;
  const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  // The cause may quote the request; its code is enough for a person.
  if (UNTRUSTED.test(reason)) {
    throw new UnlockError('KMS_UNTRUSTED', 'who answered for KMS is not trusted', { reason });
  }
  throw new UnlockError('KMS_UNREACHABLE', 'KMS was not reached', { reason });
}
