import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { addonCases } from './addon-cases.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ROOT = join(import.meta.dirname, '../..');
const FLAGS = [
  '-g',
  '-O1',
  '-fsanitize=address,undefined',
  '-fno-sanitize-recover=all',
  '-fno-omit-frame-pointer',
];

/** The compiler's own sanitizer libraries, or none where it has none. */
function findSanitizers(): string[] {
  const paths = ['libasan.so', 'libubsan.so'].map((name) => {
    const { stdout } = spawnSync('cc', [`-print-file-name=${name}`], { encoding: 'utf8' });
    return (stdout ?? '').trim();
  });
  return paths.every(isAbsolute) ? paths : [];
}

const sanitizers = findSanitizers();
const directory = temporaryFolder();

describe.skipIf(sanitizers.length === 0)('the native addon under AddressSanitizer', () => {
  test('runs every case without a bad access, undefined behaviour or a leak', { timeout: 600_000 }, () => {
    const addon = join(directory, 'holdfast.node');
    execFileSync('sh', [join(ROOT, 'scripts/build-addon.sh'), addon, ...FLAGS]);
    // OpenSSL keeps one list until the process ends.
    writeFileSync(join(directory, 'leaks'), 'leak:ossl_load_builtin_compressions\n');
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--expose-gc', join(import.meta.dirname, 'run-addon-cases.ts'), addon],
      {
        encoding: 'utf8',
        env: {
          LD_PRELOAD: sanitizers.join(' '),
          ASAN_OPTIONS: 'detect_leaks=1',
          LSAN_OPTIONS: `suppressions=${join(directory, 'leaks')}:print_suppressions=0`,
        },
      },
    );
    expect(stderr).toBe('');
    expect(stdout.match(/^ok /gm)).toHaveLength(addonCases.length);
    expect(status).toBe(0);
  });
});
