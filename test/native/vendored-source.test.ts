import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const OURS = ['README.md', 'SHA256SUMS'];
const NOTHING_TO_COMPARE_WITH = 3;

describe.each(['secp256k1', 'libsodium'])('the vendored source of %s', (folder) => {
  const vendored = join(ROOT, 'shared/native/vendor', folder);

  test('holds the listed files and no others, each with its digest', () => {
    const list = readFileSync(join(vendored, 'SHA256SUMS'), 'utf8');
    const found = readdirSync(vendored, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name).slice(vendored.length + 1))
      .filter((path) => !OURS.includes(path))
      .toSorted()
      .map(
        (path) =>
          `${createHash('sha256')
            .update(readFileSync(join(vendored, path)))
            .digest('hex')}  ${path}`,
      );
    expect(found).toEqual(list.trim().split('\n'));
  });

  test('is that of the distribution on PyPI', { timeout: 300_000 }, (context) => {
    const { status, stderr } = spawnSync('sh', [join(ROOT, 'scripts/verify-vendored.sh'), folder], {
      encoding: 'utf8',
    });
    if (status === NOTHING_TO_COMPARE_WITH) context.skip(stderr.trim());
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });
});
