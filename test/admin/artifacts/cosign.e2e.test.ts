import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { parseReleaseKey, verifyBlobBundle } from '../../../admin/artifacts/index.ts';
import { describeParentPackages } from '../../../scripts/release/parent-sbom.ts';
import { createCosignSigner } from '../../../scripts/release/sign.ts';
import { refusalIn, runHoldfast } from '../../cli/in-process.ts';
import { findMadeOrSay } from '../../support/find-made.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { makeReleaseKey, makeSampleRelease } from './sample-release.ts';

const cosign = findMadeOrSay('no bundle was shown to cosign', 'cosign.sh');
const sbom = findMadeOrSay('no SBOM was shown to a validator of others', 'release-tools.sh', 'sbom');
const program = join(cosign ?? '', 'cosign');

function run(...words: readonly string[]): { readonly status: number | null; readonly text: string } {
  const home = temporaryFolder();
  const env = { ...process.env, HOME: home, COSIGN_PASSWORD: 'a password' };
  const { status, stdout, stderr } = spawnSync(program, words, { encoding: 'utf8', env });
  return { status, text: stdout + stderr };
}

describe.skipIf(cosign === undefined)('cosign', () => {
  it('verifies what we sign, and refuses it for other bytes and another key', async () => {
    const [key, other] = [makeReleaseKey(), makeReleaseKey()];
    const { folder } = await makeSampleRelease(key);
    const keys = temporaryFolder();
    const [own, foreign] = [join(keys, 'own.pub'), join(keys, 'other.pub')];
    writeFileSync(own, key.pem);
    writeFileSync(foreign, other.pem);
    const blob = (publicKey: string, path: string) =>
      run(
        'verify-blob',
        '--key',
        publicKey,
        '--bundle',
        join(folder, 'release.sigstore.json'),
        '--insecure-ignore-tlog',
        path,
      ).status;
    expect(blob(own, join(folder, 'release.json'))).toBe(0);
    expect(blob(own, join(folder, 'pcr.json'))).not.toBe(0);
    expect(blob(foreign, join(folder, 'release.json'))).not.toBe(0);
    const statement = (path: string) =>
      run(
        'verify-blob-attestation',
        '--key',
        own,
        '--bundle',
        join(folder, 'provenance.sigstore.json'),
        '--insecure-ignore-tlog',
        '--type',
        'slsaprovenance1',
        path,
      ).status;
    expect(statement(join(folder, 'enclave.eif'))).toBe(0);
    expect(statement(join(folder, 'pcr.json'))).not.toBe(0);
  });

  it('signs releases with a key of its own, which are fetched and verified', async () => {
    const keys = temporaryFolder();
    const made = spawnSync(program, ['generate-key-pair'], {
      cwd: keys,
      env: { ...process.env, HOME: keys, COSIGN_PASSWORD: 'a password' },
    });
    expect(made.status).toBe(0);
    const before = process.env['COSIGN_PASSWORD'];
    process.env['COSIGN_PASSWORD'] = 'a password';
    try {
      const signer = createCosignSigner(program, join(keys, 'cosign.key'));
      const { out, folder } = await makeSampleRelease(makeReleaseKey(), { signer });
      const pem = readFileSync(join(keys, 'cosign.pub'), 'utf8');
      verifyBlobBundle(
        readFileSync(join(folder, 'release.sigstore.json')),
        readFileSync(join(folder, 'release.json')),
        parseReleaseKey(pem),
      );
      const fetch = async (key: string) =>
        await runHoldfast([
          'vault',
          'fetch',
          '1.4.0',
          '--from',
          out,
          '--key',
          key,
          '--out',
          temporaryFolder(),
          '--json',
        ]);
      expect((await fetch(join(keys, 'cosign.pub'))).exit).toBe(0);
      const other = join(keys, 'other.pub');
      writeFileSync(other, makeReleaseKey().pem);
      expect(refusalIn(await fetch(other)).code).toBe('RELEASE_OTHER_KEY');
    } finally {
      if (before === undefined) delete process.env['COSIGN_PASSWORD'];
      else process.env['COSIGN_PASSWORD'] = before;
    }
  });

  it('writes the older format when it is told to, which is refused', () => {
    const folder = temporaryFolder();
    spawnSync(program, ['generate-key-pair'], {
      cwd: folder,
      env: { ...process.env, HOME: folder, COSIGN_PASSWORD: 'a password' },
    });
    const [blob, bundle] = [join(folder, 'blob'), join(folder, 'bundle.json')];
    writeFileSync(blob, 'bytes');
    const { status, text } = run(
      'sign-blob',
      '--yes',
      '--key',
      join(folder, 'cosign.key'),
      '--new-bundle-format=false',
      '--use-signing-config=false',
      '--tlog-upload=false',
      '--bundle',
      bundle,
      blob,
    );
    expect({ status, text }).toMatchObject({ status: 0 });
    const key = parseReleaseKey(readFileSync(join(folder, 'cosign.pub'), 'utf8'));
    expect(() => verifyBlobBundle(readFileSync(bundle), readFileSync(blob), key)).toThrow(
      expect.objectContaining({ code: 'RELEASE_BUNDLE_MALFORMED' }),
    );
  });
});

describe.skipIf(sbom === undefined)('the SBOM of the parent', () => {
  it('is CycloneDX 1.6 for a validator of others, and names every package once', () => {
    const lock = readFileSync(join(import.meta.dirname, '../../../package-lock.json'), 'utf8');
    const document = describeParentPackages(lock, gzipSync('bundle')) as { components: { purl: string }[] };
    const path = join(temporaryFolder(), 'parent.cdx.json');
    writeFileSync(path, JSON.stringify(document));
    const check = [
      'import sys',
      'from cyclonedx.schema import SchemaVersion',
      'from cyclonedx.validation.json import JsonStrictValidator',
      'found = JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read())',
      'sys.exit(str(found)[:2000] if found else 0)',
    ].join('\n');
    const { status, stderr } = spawnSync(join(sbom ?? '', 'bin/python'), ['-c', check, path], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const purls = document.components.map(({ purl }) => purl);
    expect(new Set(purls).size).toBe(purls.length);
    expect(purls.some((purl) => purl.startsWith('pkg:npm/zod@'))).toBe(true);
    expect(purls.some((purl) => purl.startsWith('pkg:npm/vitest@'))).toBe(false);
  });
});
