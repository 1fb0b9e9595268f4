import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GetKeyPolicyCommand, PutKeyPolicyCommand } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gateKeyPolicy, renderKeyPolicy, type AdmittedImage } from '../../attestation/key-policy/index.ts';
import { MANIFEST_PCR, unsafeParseAttestationDocument } from '../../attestation/index.ts';
import { Scenario } from '../../local/testbed/scenario.ts';
import { createFileAdmission } from '../../parent/index.ts';
import { encryptionContext } from '../../shared/documents/encryption-context.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let directory: string;
let scenario: Scenario;
let admission: string;
let program: string;
let pcrs: ReadonlyMap<number, Uint8Array>;

beforeAll(async () => {
  directory = temporaryFolder();
  scenario = await Scenario.open(directory);
  admission = join(directory, 'admission');
  await mkdir(admission);
  await scenario.assertServes();
  await scenario.testNode.allow(scenario.pcrs);
  await scenario.testNode.configure(scenario.configuration(2));
  program = await scenario.changedProgram('enclave/main.ts', (code) => `${code}// The next release.\n`);
  pcrs = await scenario.testbed.host.measure(program);
});

afterAll(async () => {
  await scenario.close();
});

const attemptNewImage = () =>
  scenario.attempt({ launch: { program }, parent: { admission: createFileAdmission(admission) } });
const withManifest = (measured: ReadonlyMap<number, Uint8Array>) =>
  new Map([...measured, [MANIFEST_PCR, scenario.testNode.manifestPcr]]);

function rollOut(before: AdmittedImage) {
  return renderKeyPolicy({
    nodeRole: `arn:aws:iam::${scenario.testNode.admin.accountId}:role/holdfast-parent`,
    admins: [`arn:aws:iam::${scenario.testNode.admin.accountId}:role/policy-node-admin`],
    images: [{ pcrs: withManifest(pcrs) }, before],
    encryptionContext: encryptionContext(scenario.testNode.manifest, 'encryptor-master-password'),
  });
}

async function gate(document: Uint8Array, nonce: Uint8Array, policy: string, before: AdmittedImage) {
  const current = await scenario.testNode.admin.kms.send(
    new GetKeyPolicyCommand({ KeyId: scenario.testNode.keyArn }),
  );
  return gateKeyPolicy({
    policy,
    ...(current.Policy === undefined ? {} : { current: current.Policy }),
    keyArn: scenario.testNode.keyArn,
    nodeRole: `arn:aws:iam::${scenario.testNode.admin.accountId}:role/holdfast-parent`,
    admins: [`arn:aws:iam::${scenario.testNode.admin.accountId}:role/policy-node-admin`],
    expected: withManifest(pcrs),
    others: [before],
    encryptionContext: encryptionContext(scenario.testNode.manifest, 'encryptor-master-password'),
    document,
    nonce,
    root: scenario.testbed.host.rootCertificate,
    now: Date.now(),
    maxAgeMs: 300_000,
  });
}

describe('an image that KMS does not admit yet', () => {
  const nonce = randomBytes(32);

  it('shows nothing when nobody has asked', async () => {
    expect(await attemptNewImage()).toBe('KMS_ACCESS_DENIED');
    await expect(readFile(join(admission, 'attestation.cbor'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('attests live with the nonce of its admin, and still gets nothing', async () => {
    await writeFile(join(admission, 'nonce'), `${nonce.toString('hex')}\n`);
    expect(await attemptNewImage()).toBe('KMS_ACCESS_DENIED');
    const { payload } = unsafeParseAttestationDocument(await readFile(join(admission, 'attestation.cbor')));
    expect(payload.nonce).toEqual(new Uint8Array(nonce));
    // Nothing that KMS could encrypt to, and nothing that a client could take for a node.
    expect([payload.publicKey, payload.userData]).toEqual([null, null]);
  });

  it('passes the gate with that document, and no other', async () => {
    const document = await readFile(join(admission, 'attestation.cbor'));
    const before = { pcrs: withManifest(scenario.pcrs), until: Date.now() + 3_600_000 };
    const policy = rollOut(before);
    await expect(async () => gate(document, randomBytes(32), policy, before)).rejects.toMatchObject({
      code: 'NONCE_MISMATCH',
    });
    const { difference } = await gate(document, nonce, policy, before);
    expect(difference.gained.length).toBeGreaterThan(0);
    await scenario.testNode.admin.kms.send(
      new PutKeyPolicyCommand({ KeyId: scenario.testNode.keyArn, Policy: policy }),
    );
    expect(await attemptNewImage()).toBe('SERVING');
    expect(await scenario.attempt(), 'the image before it serves until its time is over').toBe('SERVING');
  });

  it('replaces the image before it', async () => {
    await scenario.testNode.allow(pcrs);
    expect(await attemptNewImage()).toBe('SERVING');
    expect(await scenario.attempt()).toBe('KMS_ACCESS_DENIED');
  });
});
