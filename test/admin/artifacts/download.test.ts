import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  compareVersions,
  downloadArtifact,
  ReleaseError,
  type ResumableFile,
} from '../../../admin/artifacts/index.ts';

const content = Buffer.from(Array.from({ length: 10_000 }, (_, index) => index % 251));
const digest = (algorithm: string) => createHash(algorithm).update(content).digest('hex');
const artifact = { name: 'a', size: content.length, sha256: digest('sha256'), sha384: digest('sha384') };

function memoryFile(initial: Uint8Array = new Uint8Array()): ResumableFile & { bytes: Buffer } {
  const file = {
    bytes: Buffer.from(initial),
    get size() {
      return file.bytes.length;
    },
    async *read() {
      await Promise.resolve();
      yield file.bytes;
    },
    append: (bytes: Uint8Array) => {
      file.bytes = Buffer.concat([file.bytes, bytes]);
      return Promise.resolve();
    },
    truncate: () => {
      file.bytes = Buffer.alloc(0);
      return Promise.resolve();
    },
  };
  return file;
}

/** Source that gives at most so many bytes each time, then breaks off, quietly or with an error. */
function brokenSource(
  bytes: Buffer,
  { piece, ranges = true, fails = false }: { piece: number; ranges?: boolean; fails?: boolean },
) {
  const offsets: number[] = [];
  return {
    offsets,
    location: 'test',
    read: (_version: string, _name: string, offset: number) => {
      offsets.push(offset);
      const begin = ranges ? offset : 0;
      return Promise.resolve({
        offset: begin,
        chunks: (async function* () {
          await Promise.resolve();
          yield bytes.subarray(begin, begin + piece);
          if (fails && begin + piece < bytes.length)
            throw new ReleaseError('RELEASE_SOURCE_UNREACHABLE', 'broken');
        })(),
      });
    },
  };
}
const options = { signal: new AbortController().signal, pauseMs: () => 0 };

describe('downloadArtifact', () => {
  it.each([false, true])('goes on where the connection broke (with an error: %s)', async (fails) => {
    const [source, file] = [brokenSource(content, { piece: 3000, fails }), memoryFile()];
    await downloadArtifact(source, '1.0.0', artifact, file, options);
    expect(source.offsets).toEqual([0, 3000, 6000, 9000]);
    expect(file.bytes.equals(content)).toBe(true);
  });

  it('goes on where an earlier run has ended, and asks nothing where all is there', async () => {
    const [source, file] = [brokenSource(content, { piece: 10_000 }), memoryFile(content.subarray(0, 7777))];
    await downloadArtifact(source, '1.0.0', artifact, file, options);
    await downloadArtifact(source, '1.0.0', artifact, file, options);
    expect(source.offsets).toEqual([7777]);
  });

  it('begins anew where the other side cannot resume', async () => {
    const source = brokenSource(content, { piece: 10_000, ranges: false });
    const file = memoryFile(content.subarray(0, 100));
    await downloadArtifact(source, '1.0.0', artifact, file, options);
    expect(file.bytes.equals(content)).toBe(true);
  });

  it('refuses a part from an earlier run that is of other bytes, and forgets it', async () => {
    const file = memoryFile(Buffer.alloc(5000));
    const source = brokenSource(content, { piece: 10_000 });
    await expect(downloadArtifact(source, '1.0.0', artifact, file, options)).rejects.toMatchObject({
      code: 'RELEASE_ARTIFACT_DIFFERS',
    });
    expect(file.size).toBe(0);
    await downloadArtifact(source, '1.0.0', artifact, file, options);
  });

  it('refuses an end that comes early each time, and keeps what came', async () => {
    const [source, file] = [brokenSource(content.subarray(0, 4000), { piece: 4000 }), memoryFile()];
    await expect(downloadArtifact(source, '1.0.0', artifact, file, options)).rejects.toMatchObject({
      code: 'RELEASE_ARTIFACT_TRUNCATED',
      details: { expected: 10_000, actual: 4000 },
    });
    expect(file.size).toBe(4000);
  });

  it('takes no byte more than the index names', async () => {
    const endless = {
      location: 'test',
      read: () =>
        Promise.resolve({
          offset: 0,
          chunks: (async function* () {
            for (;;) {
              await Promise.resolve();
              yield content;
            }
          })(),
        }),
    };
    for (const size of [10_000, 15_000]) {
      const file = memoryFile();
      await expect(
        downloadArtifact(endless, '1.0.0', { ...artifact, size }, file, options),
      ).rejects.toMatchObject({
        code: 'RELEASE_ARTIFACT_OVERSIZE',
      });
      expect(file.size).toBe(0);
    }
  });

  it('refuses at once what trying again does not mend', async () => {
    const source = {
      location: 'test',
      read: () => Promise.reject(new ReleaseError('RELEASE_NOT_FOUND', 'no')),
    };
    await expect(downloadArtifact(source, '1.0.0', artifact, memoryFile(), options)).rejects.toMatchObject({
      code: 'RELEASE_NOT_FOUND',
    });
  });
});

describe('compareVersions', () => {
  it('orders by the numbers, and a pre-release before its release', () => {
    const ordered = [
      '0.9.9',
      '1.0.0-alpha',
      '1.0.0-alpha.1',
      '1.0.0-rc.2',
      '1.0.0-rc.11',
      '1.0.0',
      '1.2.0',
      '1.10.0',
      '2.0.0',
    ];
    expect([...ordered].reverse().toSorted(compareVersions)).toEqual(ordered);
  });

  it.each(['', '1', '1.0', '1.0.0.0', '01.0.0', '1.0.0+build', '../1.0.0', '1.0.0-', 'v1.0.0', '1.0.0\n'])(
    'refuses %j',
    (version) => {
      expect(() => compareVersions(version, '1.0.0')).toThrow(
        expect.objectContaining({ code: 'RELEASE_VERSION_MALFORMED' }),
      );
    },
  );
});
