import { startHostileKms } from './hostile-kms.ts';
import type { BootAttack } from './boot-attacks.ts';
import type { Scenario } from '../testbed/scenario.ts';

/**
 * Starts the node against a server that claims to be KMS. With `isTrusted` the enclave believes the server's
 * certificate: the worst case, in which the response itself must still be refused.
 */
export async function attemptWithKms(
  scenario: Scenario,
  isTrusted: boolean,
  answer: (request: unknown) => unknown,
): Promise<string> {
  const kms = await startHostileKms(answer);
  try {
    const { region } = scenario.testNode.manifest.kms;
    const connectTo = { address: '127.0.0.1', port: kms.port };
    return await scenario.attempt({
      host: await scenario.testbed.addHost(isTrusted ? [kms.caPem] : []),
      parent: { egress: { targets: [{ host: `kms.${region}.amazonaws.com`, port: 443, connectTo }] } },
    });
  } finally {
    await kms.close();
  }
}

/** Attacks of a parent that stands between the enclave and KMS. */
export const KMS_ATTACKS: readonly BootAttack[] = [
  {
    attack: "an answer forged under the parent's own certificate",
    code: 'KMS_UNTRUSTED',
    attempt: (scenario) => attemptWithKms(scenario, false, () => ({})),
  },
  {
    attack: 'the Recipient stripped on the way, so that the answer has a Plaintext',
    code: 'KMS_PLAINTEXT_RETURNED',
    attempt: (scenario) =>
      attemptWithKms(scenario, true, () => ({
        KeyId: scenario.testNode.keyArn,
        Plaintext: Buffer.alloc(32, 7).toString('base64'),
      })),
  },
  {
    attack: 'an answer without a CiphertextForRecipient',
    code: 'KMS_RECIPIENT_MISSING',
    attempt: (scenario) => attemptWithKms(scenario, true, () => ({ KeyId: scenario.testNode.keyArn })),
  },
];
