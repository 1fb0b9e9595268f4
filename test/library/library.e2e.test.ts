import { execFile, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readVectors } from '../attestation/corpus/files.ts';
import { packAndInstall } from './packed.ts';

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, '..', '..');
const NAME = '@holdfast-nodes/holdfast';
const found = await packAndInstall();
if (found === undefined) process.stderr.write('skipped: the packages are not to be had, nothing installs\n');

describe.skipIf(found === undefined)('the package that others install', () => {
  const { folder = '', installed = '', log = '' } = found ?? {};
  const at = (name: string) => join(folder, name);

  async function runModule(code: string): Promise<unknown> {
    await writeFile(at('main.mjs'), code);
    const { stdout } = await run(process.execPath, [at('main.mjs')], { cwd: folder });
    return JSON.parse(stdout);
  }

  /** The command, as npm has linked it. */
  function holdfast(args: readonly string[], input = '') {
    const { status, stdout, stderr } = spawnSync(at('node_modules/.bin/holdfast'), args, {
      cwd: folder,
      input,
      encoding: 'utf8',
    });
    return { exit: status, out: stdout, err: stderr };
  }

  it('installs where there is no compiler, and says what is missing', () => {
    expect(log).toContain('the native addon was not built: no C compiler');
    expect(existsSync(join(installed, 'build/holdfast.node'))).toBe(false);
  });

  it.skipIf(spawnSync('cc', ['--version']).status !== 0)('brings what a compiler needs', async () => {
    await run('npm', ['rebuild', NAME], { cwd: folder });
    expect(existsSync(join(installed, 'build/holdfast.node'))).toBe(true);
    expect(
      await runModule(
        `import { loadNative } from './node_modules/${NAME}/dist/library/shared/native/addon.js';
         console.log(JSON.stringify(typeof loadNative()));`,
      ),
    ).toBe('object');
  });

  it('verifies, and refuses with a code', async () => {
    const result = await runModule(`
      import { AWS_NITRO_ROOT_G1, computeManifestPcr, verifyAttestationDocument } from '${NAME}/attestation';
      const pcrs = new Map([[0, new Uint8Array(48).fill(1)]]);
      let code;
      try { verifyAttestationDocument(new Uint8Array(3), { root: AWS_NITRO_ROOT_G1, at: Date.now(), pcrs }); }
      catch (error) { code = error.code; }
      console.log(JSON.stringify({ code: typeof code, pcr16: computeManifestPcr(new Uint8Array()).length }));
    `);
    expect(result).toEqual({ code: 'string', pcr16: 48 });
  });

  it('has the images, the key policies, the browser’s entry and the client beside it', async () => {
    const result = await runModule(`
      import { describeEif } from '${NAME}/attestation/eif';
      import { renderKeyPolicy } from '${NAME}/attestation/key-policy';
      import { AttestationVerifier } from '${NAME}/attestation/browser';
      import { connectNode } from '${NAME}/client';
      console.log(JSON.stringify([describeEif, renderKeyPolicy, AttestationVerifier, connectNode].map((each) => typeof each)));
    `);
    expect(result).toEqual(['function', 'function', 'function', 'function']);
  });

  it('offers nothing else', async () => {
    await expect(runModule(`import '${NAME}/enclave/boot/index.ts';`)).rejects.toMatchObject({
      stderr: expect.stringContaining('ERR_PACKAGE_PATH_NOT_EXPORTED'),
    });
  });

  it('brings types along, which a strict compiler takes', async () => {
    await writeFile(
      at('main.ts'),
      `import { AttestationError, verifyAttestationDocument } from '${NAME}/attestation';
       import { connectNode, type NodeTrust } from '${NAME}/client';
       const trust: NodeTrust = { root: new Uint8Array(), pcrs: new Map(), manifest: new Uint8Array() };
       // @ts-expect-error a trust without a root
       const wrong: NodeTrust = { pcrs: new Map(), manifest: new Uint8Array() };
       export const uses = [AttestationError, verifyAttestationDocument, connectNode, trust, wrong];`,
    );
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--types', 'node'];
    const types = ['--typeRoots', join(ROOT, 'node_modules', '@types')];
    const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
    const args = [...options, ...types, '--skipLibCheck', 'main.ts'];
    expect(spawnSync(tsc, args, { cwd: folder, encoding: 'utf8' })).toMatchObject({ status: 0, stdout: '' });
  });

  it('has the command, with every noun', async () => {
    const { exit, out } = holdfast(['version', '--json']);
    expect(exit).toBe(0);
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(JSON.parse(out)).toMatchObject({ ok: true, version });
    const nouns = [...holdfast(['--help']).out.matchAll(/^ {2}([a-z-]+) /gm)].map(([, noun = '']) => noun);
    expect(nouns.length).toBeGreaterThan(10);
    for (const noun of nouns) expect(holdfast([noun, '--help'])).toMatchObject({ exit: 0, err: '' });
  });

  it('verifies a document by the command', async () => {
    const vector = readVectors().find(({ name }) => name === 'cose/tagged');
    if (vector === undefined) throw new Error('the corpus has no such vector');
    await writeFile(at('doc.cbor'), Buffer.from(vector.document, 'base64'));
    await writeFile(at('pcr.json'), vector.pcrs);
    await writeFile(at('root.der'), Buffer.from(vector.root, 'base64'));
    const args = ['attestation', 'verify', 'doc.cbor', '--pcrs', 'pcr.json', '--at', vector.at, '--json'];
    expect(holdfast([...args, '--root', 'root.der'])).toMatchObject({ exit: 0, err: '' });
    const refused = holdfast(args);
    expect(refused.exit).toBe(1);
    expect(JSON.parse(refused.out)).toMatchObject({ ok: false, error: { code: 'ROOT_MISMATCH' } });
  });

  it('starts the threads that it needs', async () => {
    const code = await runModule(`
      import { createSqliteStore } from './node_modules/${NAME}/dist/library/parent/store/sqlite-store.js';
      const session = await createSqliteStore('${at('records.sqlite')}').open();
      console.log(JSON.stringify(typeof session));
      await session.close();
    `);
    expect(code).toBe('object');
  });

  it('says where a local node runs, instead of failing in the middle', () => {
    const { exit, out } = holdfast(['local', 'up', '--json']);
    expect(exit).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'CLONE_NEEDED' } });
  });

  it('holds no source that Node would not run, no test and no key', async () => {
    const files = await readdir(installed, { recursive: true });
    const unwanted = files.filter((name) => /(?<!\.d)\.ts$|\.test\.|\.pem$|^test\/|\.node$/.test(name));
    expect(files).toEqual(
      expect.arrayContaining(['dist/man/holdfast.1', 'docs/codes.md', 'LICENSE', 'README.md']),
    );
    expect(unwanted.filter((name) => name !== 'build/holdfast.node')).toEqual([]);
  });
});
