import { PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MANIFEST_PCR, computeManifestPcr } from '../../attestation/index.ts';
import { renderKeyPolicy } from '../../attestation/key-policy/index.ts';
import { Scenario } from '../../local/testbed/scenario.ts';
import type { HostileScripts } from '../../local/hostile-parent/index.ts';
import { encryptionContext } from '../../shared/documents/encryption-context.ts';
import { digestManifest } from '../../shared/documents/manifest.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let directory: string;
let scenario: Scenario;

beforeAll(async () => {
  directory = temporaryFolder();
  scenario = await Scenario.open(directory);
  await scenario.assertServes();
});

afterAll(async () => {
  await scenario.close();
});

function bringing(manifest: Uint8Array, configuration: Uint8Array): HostileScripts {
  return {
    onControl: ({ request, honest }) => {
      if (request.type === 'manifest') return { type: 'manifest', bytes: manifest };
      return request.type === 'configuration' ? { type: 'configuration', bytes: configuration } : honest();
    },
  };
}

describe('what a configuration no longer allows, when the store and it are rolled back together', () => {
  it('is gone for good once the manifest was issued anew and the key policy names that one', async () => {
    const { testNode } = scenario;
    const sign = (version: number, manifest: Uint8Array) => {
      const named = { manifest: Buffer.from(digestManifest(manifest)).toString('hex') };
      return testNode.sign({ ...scenario.configuration(version), ...named });
    };
    const old = testNode.manifestBytes;
    const allowing = sign(2, old);
    expect(await scenario.attempt(bringing(old, allowing))).toBe('SERVING');
    const rolledBack = scenario.store.snapshot();

    // The same node in other bytes: its store, its password and its place in the quorum stay what they are.
    const anew = Buffer.concat([old, Buffer.from('\n')]);
    const role = (name: string) => `arn:aws:iam::${testNode.admin.accountId}:role/${name}`;
    const policy = renderKeyPolicy({
      nodeRole: role('holdfast-parent'),
      admins: [role('policy-node-admin')],
      images: [{ pcrs: new Map([...scenario.pcrs, [MANIFEST_PCR, computeManifestPcr(anew)]]) }],
      encryptionContext: encryptionContext(testNode.manifest, 'encryptor-master-password'),
    });
    await testNode.admin.kms.send(
      new PutKeyPolicyCommand({ KeyId: testNode.keyArn, PolicyName: 'default', Policy: policy }),
    );
    expect(await scenario.attempt(bringing(anew, sign(3, anew)))).toBe('SERVING');

    scenario.store.restore(rolledBack);
    expect(await scenario.attempt(bringing(old, allowing))).toBe('KMS_ACCESS_DENIED');
    expect(await scenario.attempt(bringing(anew, allowing))).toBe('CONFIGURATION_OTHER_MANIFEST');
    expect(await scenario.attempt(bringing(anew, sign(3, anew)))).toBe('SERVING');
  });
});
