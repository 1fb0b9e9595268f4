import { createHash, createPublicKey } from 'node:crypto';
import { GetPublicKeyCommand, type KMSClient, SignCommand } from '@aws-sdk/client-kms';
import { checkSignatures } from '../../../admin/configurations/index.ts';
import {
  ed25519PublicKeyHex,
  encodeDigestPae,
  encodePae,
  type Envelope,
} from '../../../shared/dsse/index.ts';
import { ask } from './aws.ts';
import { ConfigSigningError } from './errors.ts';

/** Longest message that KMS signs as it is, in bytes. Source: AWS KMS API Reference, "Sign", Message. */
export const MAX_KMS_MESSAGE_BYTES = 4096;

/** The key of the stack that signs configurations. */
export class ConfigSigner {
  readonly #client: Pick<KMSClient, 'send'>;
  readonly #keyArn: string;
  readonly #signal: AbortSignal;

  constructor(client: Pick<KMSClient, 'send'>, keyArn: string, signal: AbortSignal) {
    this.#client = client;
    this.#keyArn = keyArn;
    this.#signal = signal;
  }

  /** Raw Ed25519 public key in hex. @throws ConfigSigningError SIGNING_UNAVAILABLE, SIGNING_OTHER_KEY */
  async readPublicKey(): Promise<string> {
    const command = new GetPublicKeyCommand({ KeyId: this.#keyArn });
    const found = await ask('kms:GetPublicKey', this.#client.send(command, { abortSignal: this.#signal }));
    this.#assertKey(found?.KeyId);
    try {
      const der = Buffer.from(found?.PublicKey ?? new Uint8Array());
      return ed25519PublicKeyHex(createPublicKey({ key: der, format: 'der', type: 'spki' }));
    } catch {
      throw new ConfigSigningError('SIGNING_OTHER_KEY', 'expected an Ed25519 key in KMS', {
        spec: found?.KeySpec,
      });
    }
  }

  /**
   * Adds the signature of the key to an envelope, and verifies it.
   *
   * @throws ConfigSigningError SIGNING_UNAVAILABLE, SIGNING_OTHER_KEY
   */
  async sign(envelope: Envelope, publicKey: string): Promise<Envelope> {
    const command = new SignCommand({
      KeyId: this.#keyArn,
      Message: encodeForKms(envelope),
      MessageType: 'RAW',
      SigningAlgorithm: 'ED25519_SHA_512',
    });
    const response = await ask('kms:Sign', this.#client.send(command, { abortSignal: this.#signal }));
    this.#assertKey(response?.KeyId);
    const sig = Buffer.from(response?.Signature ?? new Uint8Array()).toString('base64');
    const others = envelope.signatures.filter(({ keyid }) => keyid !== publicKey);
    const signed = { ...envelope, signatures: [...others, { keyid: publicKey, sig }] };
    if (checkSignatures(signed).some(({ key, isValid }) => key === publicKey && isValid)) return signed;
    throw new ConfigSigningError('SIGNING_OTHER_KEY', 'the signature of KMS is none of its key', {
      key: publicKey,
    });
  }

  #assertKey(actual: string | undefined): void {
    if (actual === this.#keyArn) return;
    throw new ConfigSigningError('SIGNING_OTHER_KEY', 'KMS answered for another key', {
      expected: this.#keyArn,
      actual,
    });
  }
}

/** Encodes what is signed: DSSE's own encoding, or, where KMS does not take so much, that of the payload's digest. */
function encodeForKms({ payloadType, payload }: Envelope): Uint8Array {
  const bytes = Buffer.from(payload, 'base64');
  const message = encodePae(payloadType, bytes);
  if (message.length <= MAX_KMS_MESSAGE_BYTES) return message;
  return encodeDigestPae(payloadType, createHash('sha384').update(bytes).digest());
}
