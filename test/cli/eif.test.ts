import { chmodSync, copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeAll, describe, expect, it } from 'vitest';
import { nouns } from '../../cli/nouns.ts';
import { runCli } from '../../cli/run.ts';
import { sampleArmImage, sampleBzImage, samplePacked } from '../attestation/eif/boot-samples.ts';
import { bytesOf, METADATA, registerOf, sampleSections, writeImage } from '../attestation/eif/raw-image.ts';
import { createTestSigner, MAY_SIGN, validNow } from '../attestation/eif/signed-image.ts';
import { collectOutput } from '../support/collect-output.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const VECTORS = new URL('../vectors/eif/', import.meta.url).pathname;

let folder: string;
const at = (name: string): string => join(folder, name);

beforeAll(async () => {
  folder = temporaryFolder();
  const signer = await createTestSigner('P-384', [MAY_SIGN], validNow());
  writeFileSync(at('kernel'), sampleBzImage());
  writeFileSync(at('arm-kernel'), sampleArmImage());
  writeFileSync(at('bootstrap'), samplePacked('bootstrap'));
  writeFileSync(at('application'), samplePacked('application'));
  writeFileSync(at('certificate.pem'), signer.certificate);
  writeFileSync(at('key.pem'), signer.key.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
});

async function run(...args: string[]) {
  const [stdout, stderr] = [collectOutput(), collectOutput()];
  const io = {
    stdin: Readable.from([]),
    stdout: stdout.stream,
    stderr: stderr.stream,
    signal: new AbortController().signal,
  };
  const exit = await runCli(['eif', ...args], io, nouns);
  return { exit, out: stdout.text(), err: stderr.text() };
}

const buildArguments = (output: string, kernel = 'kernel'): string[] =>
  ['build', '--kernel', at(kernel), '--cmdline', 'quiet', '--output', at(output)].concat(
    ['bootstrap', 'application'].flatMap((name) => ['--ramdisk', at(name)]),
  );

describe('holdfast eif describe', () => {
  it('warns, as verify does, of an image that cannot boot', async () => {
    const image = join(VECTORS, 'one-ramdisk.eif');
    const warning = 'WARNING: the kernel is of no kind that is known';
    expect((await run('describe', image)).out).toContain(warning);
    const pcrs = join(VECTORS, 'one-ramdisk.pcrs.json');
    expect((await run('verify', image, '--pcrs', pcrs)).out).toContain(warning);
    await run(...buildArguments('good.eif'));
    expect((await run('describe', at('good.eif'))).out).not.toContain('WARNING');
  });

  it('prints registers, signature and metadata for people', async () => {
    const { exit, out } = await run('describe', join(VECTORS, 'signed-p384.eif'));
    expect(exit).toBe(0);
    expect(out).toContain(
      'PCR8 960b93dd8819a996c44b2d974ad267ea3faca8134392625e66cde9d3cee61d7acb1d7e461915',
    );
    expect(out).toContain('signature good: ES384');
    expect(out).toContain('metadata, not attested');
  });

  it('prints JSON that is a pcr.json for verify', async () => {
    const image = join(VECTORS, 'signed-p384.eif');
    const { out } = await run('describe', image, '--json');
    writeFileSync(at('described.json'), out);
    expect(JSON.parse(out)).toMatchObject({
      ok: true,
      version: 4,
      signature: { verified: true, algorithm: 'ES384' },
      notAttested: { metadata: { ImageName: 'sample' } },
    });
    expect((await run('verify', image, '--pcrs', at('described.json'), '--at', 'any')).exit).toBe(0);
  });

  it('says that PCR2 of an image with one ramdisk binds nothing', async () => {
    expect((await run('describe', join(VECTORS, 'one-ramdisk.eif'))).out).toContain('binds nothing');
    expect((await run('describe', join(VECTORS, 'two-ramdisks.eif'))).out).not.toContain('binds nothing');
  });

  it("lets no metadata move the terminal's cursor", async () => {
    const sections = sampleSections().map((section) =>
      section.type === METADATA
        ? { ...section, content: bytesOf('{"\u009b2J":"\u202egnikcah","b":"\\u001b[2J"}') }
        : section,
    );
    writeFileSync(at('hostile.eif'), writeImage({ sections }));
    const { out } = await run('describe', at('hostile.eif'));
    expect(out).toMatch(/^[\x20-\x7e\n]*$/);
    expect(out).toContain('gnikcah');
  });

  it('refuses what is no image: exit 1, with the code', async () => {
    writeFileSync(at('text'), 'x'.repeat(1000));
    const { exit, err } = await run('describe', at('text'));
    expect(exit).toBe(1);
    expect(err).toContain('EIF_MAGIC');
    const { exit: jsonExit, out } = await run('describe', at('text'), '--json');
    expect(jsonExit).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ ok: false, error: { code: 'EIF_MAGIC' } });
  });

  it('calls a file that is not there, and a folder, a usage error', async () => {
    expect((await run('describe', at('nothing'))).exit).toBe(2);
    expect((await run('describe', folder)).exit).toBe(2);
  });
});

describe('holdfast eif verify', () => {
  const verify = (image: string, pcrs: string, ...more: string[]) =>
    run('verify', join(VECTORS, `${image}.eif`), '--pcrs', join(VECTORS, `${pcrs}.pcrs.json`), ...more);

  it('takes the expected image', async () => {
    const { exit, out } = await verify('signed-p384', 'signed-p384', '--at', '2030-01-01T00:00:00Z');
    expect(exit).toBe(0);
    expect(out).toContain('PCR0, PCR1, PCR2, PCR8');
  });

  it.each([
    ['another image', 'one-ramdisk', 'two-ramdisks', 'EIF_PCR_MISMATCH'],
    ['an image that nobody signed', 'two-ramdisks', 'signed-p384', 'EIF_PCR_MISMATCH'],
    ['an image that somebody else signed', 'signed-guide', 'signed-p384', 'EIF_PCR_MISMATCH'],
    ['a signature that pcr.json does not name', 'signed-p384', 'two-ramdisks', 'EIF_PCR_UNEXPECTED'],
  ])('refuses %s', async (_, image, pcrs, code) => {
    const { exit, err } = await verify(image, pcrs, '--at', 'any');
    expect(exit).toBe(1);
    expect(err).toContain(code);
  });

  it('refuses a signing certificate that is not valid then', async () => {
    const { exit, err } = await verify('signed-p384', 'signed-p384', '--at', '2020-01-01');
    expect(exit).toBe(1);
    expect(err).toContain('EIF_CERTIFICATE_TIME');
  });

  it('refuses a pcr.json of a debug enclave', async () => {
    const zero = '0'.repeat(96);
    writeFileSync(at('zero.json'), JSON.stringify({ PCR0: zero, PCR1: zero, PCR2: zero }));
    const { exit, err } = await run('verify', join(VECTORS, 'one-ramdisk.eif'), '--pcrs', at('zero.json'));
    expect(exit).toBe(1);
    expect(err).toContain('PCR_FILE_ZERO');
  });

  it('wants --pcrs, and a time that is one', async () => {
    expect((await run('verify', join(VECTORS, 'one-ramdisk.eif'))).exit).toBe(2);
    expect((await verify('one-ramdisk', 'one-ramdisk', '--at', 'later')).exit).toBe(2);
  });
});

describe('holdfast eif build', () => {
  it('writes an image and its pcr.json, which verify takes', async () => {
    const { exit, out } = await run(...buildArguments('plain.eif'), '--pcrs-out', at('plain.json'));
    expect(exit).toBe(0);
    expect(out).toContain(
      registerOf(sampleBzImage(), bytesOf('quiet'), samplePacked('bootstrap'), samplePacked('application')),
    );
    expect((await run('verify', at('plain.eif'), '--pcrs', at('plain.json'))).exit).toBe(0);
  });

  it('writes the same bytes every time, signed too', async () => {
    const signed = ['--signing-certificate', at('certificate.pem'), '--private-key', at('key.pem')];
    for (const options of [[], signed]) {
      await run(...buildArguments('first.eif'), ...options);
      await run(...buildArguments('second.eif'), ...options, '--pcrs-out', at('second.json'));
      expect(readFileSync(at('first.eif'))).toEqual(readFileSync(at('second.eif')));
    }
    const { out } = await run('verify', at('first.eif'), '--pcrs', at('second.json'));
    expect(out).toContain('PCR8');
  });

  it('writes the metadata that it is told', async () => {
    writeFileSync(at('custom.json'), '{"team":"custody"}');
    const told = ['--name', 'node', '--version', '1.2', '--build-time', '2026-11-01T00:00:00Z'];
    const build = buildArguments('told.eif', 'arm-kernel');
    await run(...build, ...told, '--metadata', at('custom.json'), '--arch', 'aarch64');
    const { out } = await run('describe', at('told.eif'), '--json');
    expect(JSON.parse(out)).toMatchObject({
      architecture: 'aarch64',
      notAttested: {
        metadata: {
          ImageName: 'node',
          ImageVersion: '1.2',
          BuildMetadata: { BuildTime: '2026-11-01T00:00:00Z' },
          CustomMetadata: { team: 'custody' },
        },
      },
    });
  });

  it.each([
    ['EIF_KERNEL_KIND', ['--kernel', 'application']],
    ['EIF_KERNEL_KIND', ['--kernel', 'arm-kernel']],
    ['EIF_KERNEL_KIND', ['--kernel', 'kernel', '--arch', 'aarch64']],
    ['EIF_RAMDISK_KIND', ['--kernel', 'kernel', '--ramdisk', 'certificate.pem']],
  ])('is refused with %s, as what could never boot', async (code, given) => {
    const files = given.map((word) => (word.startsWith('--') || word === 'aarch64' ? word : at(word)));
    const output = [
      '--cmdline',
      'quiet',
      '--output',
      at('never.eif'),
      '--ramdisk',
      at('bootstrap'),
      '--json',
    ];
    const { exit, out } = await run('build', ...files, ...output);
    expect(exit).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ error: { code } });
    expect(readdirSync(folder).filter((name) => name.startsWith('never'))).toEqual([]);
  });

  it('leaves nothing behind when it is refused', async () => {
    writeFileSync(at('empty'), '');
    const { exit, err } = await run(...buildArguments('refused.eif'), '--ramdisk', at('empty'));
    expect(exit).toBe(1);
    expect(err).toContain('EIF_EMPTY_SECTION');
    expect(readdirSync(folder).filter((name) => name.startsWith('refused'))).toEqual([]);
  });

  it('never prints a key that it cannot read', async () => {
    const broken = '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n';
    writeFileSync(at('broken.pem'), broken, { mode: 0o600 });
    const signed = ['--signing-certificate', at('certificate.pem'), '--private-key', at('broken.pem')];
    const { exit, out, err } = await run(...buildArguments('broken.eif'), ...signed);
    expect(exit).toBe(1);
    expect(err).toContain('KEY_FILE_MALFORMED');
    expect(out + err).not.toContain('c2VjcmV0');
  });

  it('refuses a key that others may read, before anything is built', async () => {
    copyFileSync(at('key.pem'), at('exposed.pem'));
    chmodSync(at('exposed.pem'), 0o640);
    const signed = ['--signing-certificate', at('certificate.pem'), '--private-key', at('exposed.pem')];
    const { exit, err } = await run(...buildArguments('exposed.eif'), ...signed);
    expect(exit).toBe(1);
    expect(err).toContain('KEY_FILE_EXPOSED');
    expect(readdirSync(folder)).not.toContain('exposed.eif');
  });

  it.each([
    ['a certificate without a key', ['--signing-certificate', 'x']],
    ['a key without a certificate', ['--private-key', 'x']],
    ['a region of KMS without a key', ['--kms-region', 'eu-central-1']],
    ['another architecture', ['--arch', 'riscv64']],
    ['an option that does not exist', ['--force']],
  ])('calls %s a usage error', async (_, options) => {
    expect((await run(...buildArguments('usage.eif'), ...options)).exit).toBe(2);
  });
});
