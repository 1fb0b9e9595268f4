import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { beforeAll, describe, expect, it } from 'vitest';
import { parseReleaseKey } from '../../../admin/artifacts/index.ts';
import { type LocalRelease, openLocalRelease } from '../../../cli/vault/releases/local-release.ts';
import { isRebuilt, recordPathOf, rebuildRelease } from '../../../cli/vault/releases/rebuild.ts';
import { makeReleaseKey, makeSampleRelease } from '../../admin/artifacts/sample-release.ts';
import { collectOutput } from '../../support/collect-output.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let release: LocalRelease;
beforeAll(async () => {
  const key = makeReleaseKey();
  const { out } = await makeSampleRelease(key);
  release = await openLocalRelease(join(out, '1.4.0'), '1.4.0', parseReleaseKey(key.pem));
});

/** Script in the place of scripts/verify-build, which rebuilds for minutes: what it is given, and what its end means. */
function scriptOf(text: string): string {
  const path = join(temporaryFolder(), 'verify-build');
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o700);
  return path;
}

async function rebuild(script: string, signal = new AbortController().signal) {
  const [stdout, stderr] = [collectOutput(), collectOutput()];
  const io = {
    stdin: Object.assign(Readable.from([]), { isTTY: false }),
    stdout: stdout.stream,
    stderr: stderr.stream,
    signal,
    env: {},
  };
  const path = join(temporaryFolder(), '1.4.0.rebuilt.json');
  const outcome = await rebuildRelease(release, path, io, script).catch((error: unknown) => error);
  return { outcome, path, said: stderr.text() };
}

describe('a rebuild of a release', () => {
  it('is recorded where the image came out the same, of the very folder that was verified', async () => {
    const { outcome, path, said } = await rebuild(scriptOf('echo "rebuilds $1"'));
    expect(said).toContain(`rebuilds ${release.folder}`);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(outcome);
    expect(outcome).toMatchObject({
      format: 'holdfast-rebuild/1',
      version: '1.4.0',
      commit: release.index.commit,
    });
  });

  it.each([
    ['came out otherwise', 'echo "PCR0 differs" >&2; exit 1', 'RELEASE_REBUILD_DIFFERS'],
    ['was ended by a signal', 'kill -9 $$', 'RELEASE_REBUILD_DIFFERS'],
  ])('leaves no record where it %s', async (_, text, code) => {
    const { outcome, path } = await rebuild(scriptOf(text));
    expect(outcome).toMatchObject({ code });
    expect(existsSync(path)).toBe(false);
  });

  it('needs a working copy, and ends with Ctrl-C', async () => {
    const missing = await rebuild(join(temporaryFolder(), 'verify-build'));
    expect(missing.outcome).toMatchObject({
      code: 'CLONE_NEEDED',
      details: { commit: release.index.commit },
    });
    const stopped = await rebuild(scriptOf('exec sleep 60'), AbortSignal.timeout(200));
    expect(stopped.outcome).toMatchObject({ code: 'INTERRUPTED' });
    expect(existsSync(stopped.path)).toBe(false);
  });

  it('counts for the image that it was made of, and for no other', async () => {
    const folder = temporaryFolder();
    const image = 'ab'.repeat(48);
    const write = (text: string) => writeFileSync(recordPathOf(folder, '1.4.0'), text);
    expect(await isRebuilt(folder, '1.4.0', image)).toBe(false);
    write(JSON.stringify({ format: 'holdfast-rebuild/1', version: '1.4.0', image }));
    expect(await isRebuilt(folder, '1.4.0', image)).toBe(true);
    expect(await isRebuilt(folder, '1.4.0', 'cd'.repeat(48))).toBe(false);
    expect(await isRebuilt(folder, '1.5.0', image)).toBe(false);
    for (const text of [
      '',
      'no JSON',
      '[]',
      JSON.stringify({ format: 'other/1', version: '1.4.0', image }),
    ]) {
      write(text);
      expect(await isRebuilt(folder, '1.4.0', image)).toBe(false);
    }
  });
});
