import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '..', '..');
let consumer: string;

/** A folder that has Holdfast among its packages, as JavaScript: Node strips no types below node_modules. */
beforeAll(async () => {
  consumer = await mkdtemp(join(tmpdir(), 'holdfast-consumer-'));
  const installed = join(consumer, 'node_modules', 'holdfast');
  await mkdir(installed, { recursive: true });
  await writeFile(join(installed, 'package.json'), await readFile(join(ROOT, 'package.json')));
  const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
  await run(tsc, ['-p', join(ROOT, 'tsconfig.library.json'), '--outDir', join(installed, 'dist', 'library')]);
  for (const name of ['@noble', 'zod']) {
    await symlink(join(ROOT, 'node_modules', name), join(consumer, 'node_modules', name));
  }
});

afterAll(() => rm(consumer, { recursive: true, force: true }));

async function runModule(code: string): Promise<unknown> {
  const file = join(consumer, 'main.mjs');
  await writeFile(file, code);
  const { stdout } = await run(process.execPath, [file]);
  return JSON.parse(stdout);
}

describe('the library that others install', () => {
  it('verifies, and refuses with a code', async () => {
    const result = await runModule(`
      import { AWS_NITRO_ROOT_G1, measureManifest, verifyAttestationDocument } from 'holdfast/attestation';
      const pcrs = new Map([[0, new Uint8Array(48).fill(1)]]);
      let code;
      try { verifyAttestationDocument(new Uint8Array(3), { root: AWS_NITRO_ROOT_G1, at: Date.now(), pcrs }); }
      catch (error) { code = error.code; }
      console.log(JSON.stringify({ code: typeof code, pcr16: measureManifest(new Uint8Array()).length }));
    `);
    expect(result).toEqual({ code: 'string', pcr16: 48 });
  });

  it('has the images, the key policies, the browser’s entry and the client beside it', async () => {
    const result = await runModule(`
      import { describeEif } from 'holdfast/attestation/eif';
      import { renderKeyPolicy } from 'holdfast/attestation/key-policy';
      import { AttestationVerifier } from 'holdfast/attestation/browser';
      import { connectNode } from 'holdfast/client';
      console.log(JSON.stringify([describeEif, renderKeyPolicy, AttestationVerifier, connectNode].map((each) => typeof each)));
    `);
    expect(result).toEqual(['function', 'function', 'function', 'function']);
  });

  it('offers nothing else', async () => {
    await expect(runModule("import 'holdfast/enclave/boot/index.ts';")).rejects.toMatchObject({
      stderr: expect.stringContaining('ERR_PACKAGE_PATH_NOT_EXPORTED'),
    });
  });

  it('brings types along', async () => {
    const types = join(consumer, 'node_modules', 'holdfast', 'dist', 'library', 'attestation', 'index.d.ts');
    expect(await readFile(types, 'utf8')).toContain('verifyAttestationDocument');
  });
});
