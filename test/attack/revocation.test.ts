import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MANIFEST_PCR, measureManifest } from '../../attestation/index.ts';
import { renderKeyPolicy } from '../../attestation/key-policy/index.ts';
import { Stage } from '../../local/demo/stage.ts';
import type { HostileScripts } from '../../local/hostile-parent/index.ts';
import { encryptionContext } from '../../shared/node/encryption-context.ts';
import { digestManifest } from '../../shared/node/manifest.ts';

let directory: string;
let stage: Stage;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'holdfast-revocation-'));
  stage = await Stage.open(directory);
  await stage.assertServes();
});

afterAll(async () => {
  await stage.close();
  await rm(directory, { recursive: true, force: true });
});

function bringing(manifest: Uint8Array, configuration: Uint8Array): HostileScripts {
  return {
    onControl: ({ request, honest }) => {
      if (request.type === 'manifest') return { type: 'manifest', bytes: manifest };
      return request.type === 'configuration' ? { type: 'configuration', bytes: configuration } : honest();
    },
  };
}

describe('P12 what a configuration no longer allows, when the store and it are rolled back together', () => {
  it('is gone for good once the manifest was issued anew and the key policy names that one', async () => {
    const { site } = stage;
    const sign = (version: number, manifest: Uint8Array) => {
      const named = { manifest: Buffer.from(digestManifest(manifest)).toString('hex') };
      return site.sign({ ...stage.configuration(version), ...named });
    };
    const old = site.manifestBytes;
    const allowing = sign(2, old);
    expect(await stage.attempt(bringing(old, allowing))).toBe('SERVING');
    const rolledBack = stage.store.snapshot();

    // The same node in other bytes: its store, its password and its place in the quorum stay what they are.
    const anew = Buffer.concat([old, Buffer.from('\n')]);
    const role = (name: string) => `arn:aws:iam::${site.accountId}:role/${name}`;
    const policy = renderKeyPolicy({
      nodeRole: role('holdfast-parent'),
      admins: [role('policy-node-admin')],
      images: [{ pcrs: new Map([...stage.pcrs, [MANIFEST_PCR, measureManifest(anew)]]) }],
      encryptionContext: encryptionContext(site.manifest, 'encryptor-master-password'),
    });
    await site.kms.send(
      new PutKeyPolicyCommand({ KeyId: site.keyArn, PolicyName: 'default', Policy: policy }),
    );
    expect(await stage.attempt(bringing(anew, sign(3, anew)))).toBe('SERVING');

    stage.store.restore(rolledBack);
    expect(await stage.attempt(bringing(old, allowing))).toBe('KMS_ACCESS_DENIED');
    expect(await stage.attempt(bringing(anew, allowing))).toBe('CONFIGURATION_OTHER_MANIFEST');
    expect(await stage.attempt(bringing(anew, sign(3, anew)))).toBe('SERVING');
  });
});
