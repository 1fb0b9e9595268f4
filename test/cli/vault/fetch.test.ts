import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createKeySigner } from '../../../scripts/release/sign.ts';
import {
  makeReleaseKey,
  makeSampleRelease,
  type SampleOptions,
} from '../../admin/artifacts/sample-release.ts';
import { encodeVault, makeSampleVault } from '../../admin/vault/sample-vault.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { refusalIn, runHoldfast } from '../in-process.ts';

const key = makeReleaseKey();
let source: string;
let keyFile: string;

beforeAll(async () => {
  ({ out: source } = await makeSampleRelease(key));
  await makeSampleRelease(key, { version: '1.3.0', out: source });
  keyFile = join(temporaryFolder(), 'cosign.pub');
  writeFileSync(keyFile, key.pem);
});

const fetch = async (version: string, from: string, folder: string, ...more: string[]) =>
  await runHoldfast([
    'vault',
    'fetch',
    version,
    '--from',
    from,
    '--key',
    keyFile,
    '--out',
    folder,
    '--json',
    ...more,
  ]);
const codeOf = async (version: string, from: string, folder = temporaryFolder(), ...more: string[]) =>
  refusalIn(await fetch(version, from, folder, ...more)).code;

/** Makes a release that is signed and yet wrong in some way, and says how the fetch of it ends. */
const fetchMade = async (options: SampleOptions): Promise<string> => {
  const { out } = await makeSampleRelease(key, options);
  return await codeOf(options.version ?? '1.4.0', out);
};

describe('vault fetch', () => {
  it('fetches a release, verifies it, and places all of it at once', async () => {
    const folder = temporaryFolder();
    const { exit, out } = await fetch('1.4.0', source, folder);
    expect([exit, JSON.parse(out)]).toMatchObject([0, { version: '1.4.0', fetched: true }]);
    expect(readdirSync(folder)).toEqual(['1.4.0']);
    for (const name of readdirSync(join(source, '1.4.0'))) {
      expect(
        readFileSync(join(folder, '1.4.0', name)).equals(readFileSync(join(source, '1.4.0', name))),
      ).toBe(true);
    }
  });

  it('fetches nothing the second time, and asks nobody', async () => {
    const folder = temporaryFolder();
    await fetch('1.4.0', source, folder);
    const { exit, out } = await fetch('1.4.0', join(folder, 'nowhere'), folder);
    expect([exit, JSON.parse(out)]).toMatchObject([0, { fetched: false }]);
  });

  it('refuses a release that was changed here, by the name of the file', async () => {
    const folder = temporaryFolder();
    await fetch('1.4.0', source, folder);
    appendFileSync(join(folder, '1.4.0/parent.tgz'), 'x');
    const refusal = refusalIn(await fetch('1.4.0', source, folder));
    expect(refusal).toMatchObject({ exit: 1, code: 'RELEASE_DAMAGED' });
    expect(refusal.details['file']).toContain('parent.tgz');
    rmSync(join(folder, '1.4.0/parent.tgz'));
    expect(await codeOf('1.4.0', source, folder)).toBe('RELEASE_DAMAGED');
  });

  it('refuses an older release than one that is here, unless it is named', async () => {
    const folder = temporaryFolder();
    await fetch('1.4.0', source, folder);
    expect(await codeOf('1.3.0', source, folder)).toBe('RELEASE_OLDER');
    expect((await fetch('1.3.0', source, folder, '--older', '1.4.0')).exit).toBe(2);
    expect((await fetch('1.3.0', source, folder, '--older', '1.3.0')).exit).toBe(0);
  });

  it('refuses an older release under the name of a newer one', async () => {
    const lying = temporaryFolder();
    cpSync(join(source, '1.3.0'), join(lying, '1.4.0'), { recursive: true });
    expect(await codeOf('1.4.0', lying)).toBe('RELEASE_OTHER_VERSION');
  });

  it('refuses a release that another key has signed', async () => {
    const { out } = await makeSampleRelease(makeReleaseKey());
    expect(await codeOf('1.4.0', out)).toBe('RELEASE_OTHER_KEY');
  });

  it('refuses an index that was changed, and one whose signature is not there', async () => {
    const changed = temporaryFolder();
    cpSync(source, changed, { recursive: true });
    const index = join(changed, '1.4.0/release.json');
    writeFileSync(index, readFileSync(index, 'utf8').replace('2026-11-01', '2026-11-02'));
    expect(await codeOf('1.4.0', changed)).toBe('RELEASE_OTHER_ARTIFACT');
    rmSync(join(changed, '1.4.0/release.sigstore.json'));
    expect(await codeOf('1.4.0', changed)).toBe('RELEASE_NOT_FOUND');
  });

  it.each(['enclave.eif', 'pcr.json', 'sbom.cdx.json', 'provenance.sigstore.json', 'parent.cdx.json'])(
    'refuses other bytes of %s, and places nothing',
    async (name) => {
      const [changed, folder] = [temporaryFolder(), temporaryFolder()];
      cpSync(source, changed, { recursive: true });
      const path = join(changed, '1.4.0', name);
      const bytes = readFileSync(path);
      bytes.writeUInt8(bytes.readUInt8(10) ^ 1, 10);
      writeFileSync(path, bytes);
      expect(await codeOf('1.4.0', changed, folder)).toBe('RELEASE_ARTIFACT_DIFFERS');
      expect(existsSync(join(folder, '1.4.0'))).toBe(false);
      // What was right is not fetched again, what was wrong is.
      expect((await fetch('1.4.0', source, folder)).exit).toBe(0);
    },
  );

  it('refuses an artifact that is longer than the index says', async () => {
    const changed = temporaryFolder();
    cpSync(source, changed, { recursive: true });
    appendFileSync(join(changed, '1.4.0/enclave.eif'), 'x');
    expect(await codeOf('1.4.0', changed)).toBe('RELEASE_ARTIFACT_OVERSIZE');
  });

  it('refuses a signed release whose parts contradict each other', async () => {
    const other = (name: string, from: RegExp, to: string): SampleOptions => ({
      change: (file, content) =>
        file === name ? Buffer.from(content.toString('utf8').replace(from, to)) : content,
    });
    expect(await fetchMade(other('pcr.json', /[0-9a-f]{96}/, 'ab'.repeat(48)))).toBe(
      'RELEASE_PROVENANCE_DIFFERS',
    );
    expect(
      await fetchMade({
        change: (file, content) =>
          file === 'enclave.eif' || file === 'image-files.json' || file === 'sbom.cdx.json'
            ? content
            : Buffer.from(
                content.toString('utf8').replace(/(PCR1": ?")[0-9a-f]{96}/, `$1${'ab'.repeat(48)}`),
              ),
      }),
    ).toBe('RELEASE_MEASUREMENTS_DIFFER');
    expect(
      await fetchMade(other('provenance.json', /"sha256": "[0-9a-f]{64}"/, `"sha256": "${'0'.repeat(64)}"`)),
    ).toBe('RELEASE_PROVENANCE_DIFFERS');
    expect(
      await fetchMade(other('provenance.json', /slsa.dev\/provenance\/v1/, 'slsa.dev/provenance/v0.2')),
    ).toBe('RELEASE_PROVENANCE_DIFFERS');
  });

  it('refuses a signed provenance that is another than the one beside it, or of another key', async () => {
    const honest = createKeySigner(key.privateKey);
    const otherBuild = (statement: Uint8Array) =>
      Buffer.from(Buffer.from(statement).toString('utf8').replace('enclave/main.ts', 'enclave/other.ts'));
    const signer = {
      ...honest,
      signStatement: (statement: Uint8Array) => honest.signStatement(otherBuild(statement)),
    };
    expect(await fetchMade({ signer })).toBe('RELEASE_PROVENANCE_DIFFERS');
    const foreign = createKeySigner(makeReleaseKey().privateKey);
    expect(await fetchMade({ signer: { ...honest, signStatement: foreign.signStatement } })).toBe(
      'RELEASE_OTHER_KEY',
    );
    expect(await fetchMade({ signer: { ...honest, signStatement: honest.signBlob } })).toBe(
      'RELEASE_BUNDLE_KIND',
    );
    const typed = { ...honest, signBlob: honest.signStatement };
    expect(await fetchMade({ signer: typed })).toBe('RELEASE_BUNDLE_KIND');
  });

  it('takes up what a run has left that was killed, and leaves what is not of the release', async () => {
    const folder = temporaryFolder();
    const partial = join(folder, '.1.4.0.partial');
    mkdirSync(partial);
    const eif = readFileSync(join(source, '1.4.0/enclave.eif'));
    writeFileSync(join(partial, 'enclave.eif'), eif.subarray(0, 100));
    writeFileSync(join(partial, 'other'), 'x');
    const { pid } = spawnSync('true');
    writeFileSync(join(folder, '.1.4.0.lock'), String(pid));
    expect((await fetch('1.4.0', source, folder)).exit).toBe(0);
    expect(readdirSync(join(folder, '1.4.0')).toSorted()).toEqual(
      readdirSync(join(source, '1.4.0')).toSorted(),
    );
    expect(readdirSync(folder)).toEqual(['1.4.0']);
  });

  it('refuses while another run works on the release', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, '.1.4.0.lock'), String(process.pid));
    expect(await codeOf('1.4.0', source, folder)).toBe('RELEASE_IN_USE');
  });

  it('refuses a disk that is too small before anything is fetched, and mends when there is room', async (context) => {
    const folder = temporaryFolder();
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]).status !== 0) {
      process.stderr.write('\nSKIPPED: no full disk was tried: this user may not mount one\n\n');
      context.skip();
    }
    try {
      expect(await codeOf('1.4.0', source, folder)).toBe('RELEASE_DISK_FULL');
      execFileSync('mount', ['-o', 'remount,size=16m', folder]);
      expect((await fetch('1.4.0', source, folder)).exit).toBe(0);
    } finally {
      execFileSync('umount', [folder]);
    }
  });

  it('refuses a location and a version that are none', async () => {
    for (const from of [
      'ftp://host/x',
      's3://B/x',
      'oci://host',
      'oci://host/UPPER',
      's3://bucket/../x',
      'oci://host/a/../b',
    ]) {
      expect(await codeOf('1.4.0', from)).toBe('RELEASE_LOCATION_MALFORMED');
    }
    expect(await codeOf('../1.4.0', source)).toBe('RELEASE_VERSION_MALFORMED');
    expect(await codeOf('9.9.9', source)).toBe('RELEASE_NOT_FOUND');
  });
});

describe('vault mirror', () => {
  it('copies a release bit for bit, and finds it there the second time', async () => {
    const [folder, to] = [temporaryFolder(), temporaryFolder()];
    const mirror = async () =>
      await runHoldfast([
        'vault',
        'mirror',
        '1.4.0',
        '--from',
        source,
        '--key',
        keyFile,
        '--out',
        folder,
        '--to',
        to,
        '--json',
      ]);
    const { exit, out } = await mirror();
    expect([exit, (JSON.parse(out) as { written: string[] }).written.length]).toEqual([0, 10]);
    for (const name of readdirSync(join(source, '1.4.0'))) {
      expect(readFileSync(join(to, '1.4.0', name)).equals(readFileSync(join(source, '1.4.0', name)))).toBe(
        true,
      );
    }
    expect(JSON.parse((await mirror()).out)).toMatchObject({ written: [] });
    appendFileSync(join(to, '1.4.0/pcr.json'), ' ');
    expect(refusalIn(await mirror()).code).toBe('RELEASE_MIRROR_DIFFERS');
    renameSync(join(to, '1.4.0'), join(to, 'gone'));
    expect((await mirror()).exit).toBe(0);
  });
});

describe('vault fetch of somebody of the vault', () => {
  it('says first what the check says, then what was fetched, then where the sheets of the role are', async () => {
    const folder = temporaryFolder();
    const at = (name: string) => join(folder, name);
    writeFileSync(
      at('vault.yaml'),
      encodeVault(
        makeSampleVault((vault) => {
          vault.release = { version: '1.4.0', from: source, publicKey: key.pem };
        }),
      ),
    );
    const words = [
      'vault',
      'fetch',
      '--vault',
      at('vault.yaml'),
      '--out',
      at('releases'),
      '--sheets',
      at('sheets'),
    ];
    const { exit, out } = await runHoldfast([...words, '--role', 'node-2']);
    expect([exit, out]).toEqual([
      0,
      expect.stringMatching(
        /0 errors, .*; vault [0-9a-f]{16}…[\s\S]*fetched and verified[\s\S]*sheets\/node-2\/run-sheet\.md/,
      ),
    ]);
    expect(out).not.toContain('sheets/node-1/');
    expect(readFileSync(at('sheets/node-2/run-sheet.md'), 'utf8')).toContain('Your steps alone');
    const again = JSON.parse((await runHoldfast([...words, '--json'])).out) as { sheets: string[] };
    expect(again).toMatchObject({ ok: true, fetched: false, check: { errors: 0 } });
    expect(again.sheets).toContain(at('sheets/owners/backup.html'));
  });

  it('says what it found and wrote, and what is next, where the release is not there yet', async () => {
    const folder = temporaryFolder();
    const at = (name: string) => join(folder, name);
    writeFileSync(
      at('vault.yaml'),
      encodeVault(
        makeSampleVault((vault) => {
          vault.release = { version: '1.4.0', from: './release', publicKey: key.pem };
        }),
      ),
    );
    const words = ['vault', 'fetch', '--vault', at('vault.yaml'), '--out', at('releases')];
    const more = ['--role', 'node-2', '--sheets', at('sheets')];
    const { exit, err } = await runHoldfast([...words, ...more]);
    expect([exit, err]).toEqual([
      1,
      expect.stringMatching(
        /0 errors, .*; vault [0-9a-f]{16}…[^]*sheets\/node-2\/run-sheet\.md[^]*release 1\.4\.0 is not here, [^]*run the same command again[^]*refused RELEASE_NOT_FOUND/,
      ),
    ]);
    expect(readFileSync(at('sheets/node-2/run-sheet.md'), 'utf8')).toContain('Your steps alone');
    expect(refusalIn(await runHoldfast([...words, ...more, '--json'])).code).toBe('RELEASE_NOT_FOUND');
  });

  it('says the digest of vault.yaml, and how sheets are had, to whoever asks for the release alone', async () => {
    const folder = temporaryFolder();
    const at = (name: string) => join(folder, name);
    const save = (publicKey: string | null) => {
      const vault = makeSampleVault((change) => {
        change.release = { version: '1.4.0', from: source, publicKey };
      });
      writeFileSync(at('vault.yaml'), encodeVault(vault));
    };
    const words = ['vault', 'fetch', '--vault', at('vault.yaml'), '--out', at('releases')];
    save(key.pem);
    expect((await runHoldfast(words)).out).toMatch(
      /vault [0-9a-f]{16}…[^]*next: .*--role ROLE --sheets sheets/,
    );
    save(null);
    const without = await runHoldfast(words);
    expect([without.exit, without.err]).toEqual([
      2,
      expect.stringContaining('names no key of releases: write'),
    ]);
  });
});
