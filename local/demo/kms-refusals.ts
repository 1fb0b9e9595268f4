import { startHostileKms } from './hostile-kms.ts';
import type { Refusal } from './boot-refusals.ts';
import type { Stage } from './stage.ts';

/**
 * Starts the node against something that claims to be KMS. With `isTrusted` the enclave believes its certificate: the
 * worst case, in which the answer itself must still be refused.
 */
export async function attemptWithKms(
  stage: Stage,
  isTrusted: boolean,
  answer: (request: unknown) => unknown,
): Promise<string> {
  const kms = await startHostileKms(answer);
  try {
    const { region } = stage.site.manifest.kms;
    const connectTo = { address: '127.0.0.1', port: kms.port };
    return await stage.attempt({
      world: await stage.otherHost(isTrusted ? [kms.caPem] : []),
      parent: { egress: { targets: [{ host: `kms.${region}.amazonaws.com`, port: 443, connectTo }] } },
    });
  } finally {
    await kms.close();
  }
}

/** What a parent can try that stands between the enclave and KMS. */
export const KMS_REFUSALS: readonly Refusal[] = [
  {
    attack: "an answer forged under the parent's own certificate",
    code: 'KMS_UNTRUSTED',
    attempt: (stage) => attemptWithKms(stage, false, () => ({})),
  },
  {
    attack: 'the Recipient stripped on the way, so that the answer has a Plaintext',
    code: 'KMS_PLAINTEXT_RETURNED',
    attempt: (stage) =>
      attemptWithKms(stage, true, () => ({
        KeyId: stage.site.keyArn,
        Plaintext: Buffer.alloc(32, 7).toString('base64'),
      })),
  },
  {
    attack: 'an answer without a CiphertextForRecipient',
    code: 'KMS_RECIPIENT_MISSING',
    attempt: (stage) => attemptWithKms(stage, true, () => ({ KeyId: stage.site.keyArn })),
  },
];
