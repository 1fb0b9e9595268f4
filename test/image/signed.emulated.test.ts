import { spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { describeEif, memorySource, verifyEif } from '../../attestation/eif/index.ts';
import { parsePcrFile } from '../../attestation/pcr-file.ts';
import { ROOT } from '../../scripts/image/inputs.ts';
import { createTestSigner, MAY_SIGN, validNow } from '../attestation/eif/signed-image.ts';
import { findEmulator } from '../emulated/harness/emulator.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe.skipIf(findEmulator() === undefined)('a signed enclave image', () => {
  const folder = temporaryFolder();
  const at = (name: string) => join(folder, name);

  function run(script: string, ...args: string[]) {
    const { status, stdout, stderr } = spawnSync(join(ROOT, 'scripts', script), args, { encoding: 'utf8' });
    return { status, stdout, stderr };
  }

  beforeAll(async () => {
    const signer = await createTestSigner('P-384', [MAY_SIGN], validNow());
    const stranger = await createTestSigner('P-384', [MAY_SIGN], validNow());
    writeFileSync(at('key.pem'), signer.key.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
    writeFileSync(at('certificate.pem'), signer.certificate);
    writeFileSync(at('stranger.pem'), stranger.certificate);
    const signed = ['--sign-key', at('key.pem'), '--sign-certificate', at('certificate.pem')];
    for (const args of [[at('signed'), ...signed], [at('unsigned')]]) {
      const { status, stderr } = run('build-eif', '--out', ...args);
      if (status !== 0) throw new Error(stderr);
    }
  }, 300_000);

  test('has the PCRs of the unsigned one, and PCR8', async () => {
    const image = memorySource(readFileSync(at('signed/enclave.eif')));
    const signed = parsePcrFile(readFileSync(at('signed/pcr.json')));
    const unsigned = parsePcrFile(readFileSync(at('unsigned/pcr.json')));
    const { measurements } = await verifyEif(image, signed, { at: new Date() });
    expect([...measurements.keys()]).toEqual([0, 1, 2, 8]);
    const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');
    for (const index of [0, 1, 2]) expect(hex(measurements.get(index))).toBe(hex(unsigned.get(index)));
    expect((await describeEif(image)).signature?.certificate.subject).toBe('CN=test image signer');
  });

  test('is rebuilt to the same bytes without its key, and verify-build says what it could not make', () => {
    const { status, stdout, stderr } = run('verify-build', at('signed'), '--cache');
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toContain('by CN=test image signer');
    expect(stdout).toContain('PCR8 ');
  }, 300_000);

  test('is told from another build that carries its own good signature', () => {
    const entry = at('other.ts');
    writeFileSync(entry, 'export {};\n');
    cpSync(at('signed'), at('other'), { recursive: true });
    const signed = ['--sign-key', at('key.pem'), '--sign-certificate', at('certificate.pem')];
    expect(run('build-eif', '--out', at('other'), '--entry', entry, ...signed)).toMatchObject({ status: 0 });
    const { status, stdout } = run('verify-build', at('other'), '--cache');
    expect(status).toBe(1);
    expect(stdout).toContain('program: app/main.mjs');
  }, 300_000);

  test('is not made with the certificate of another key', () => {
    const signed = ['--sign-key', at('key.pem'), '--sign-certificate', at('stranger.pem')];
    const { status, stderr } = run('build-eif', '--out', at('refused'), ...signed);
    expect(status).toBe(1);
    expect(stderr).toContain('EIF_SIGNING_KEY_OTHER');
  });

  test.each([
    ['a key without a certificate', ['--sign-key', 'key.pem']],
    ['a certificate without a key', ['--sign-certificate', 'certificate.pem']],
    ['an unsigned image to take the signature from', ['--signature-of', at('unsigned/enclave.eif')]],
  ])('%s is a usage error', (_, args) => {
    expect(run('build-eif', ...args)).toMatchObject({ status: 2 });
  });
});
