import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Bundle, bundleEntry } from '../../scripts/image/bundle.ts';
import { ROOT } from '../../scripts/image/lock.ts';

describe('the program of the image', () => {
  let bundle: Bundle;
  beforeAll(async () => {
    bundle = await bundleEntry('enclave/main.ts');
  });

  it('is made of what is measured as an enclave and of packages: no stand-in, no parent, no command', () => {
    const folders = new Set(bundle.sources.map(({ path }) => path.split('/')[0]));
    expect(folders).toEqual(new Set(['attestation', 'audit', 'policy', 'enclave', 'node_modules', 'shared']));
  });

  it('leaves out what of its packages it does not use', () => {
    const locales = bundle.sources.filter(({ path }) => path.includes('/zod/v4/locales/'));
    expect(locales.map(({ path }) => path.split('/').at(-1))).toEqual(['en.js']);
    expect(bundle.code.length).toBeLessThan(1_000_000);
  });

  it('has nothing in it that would look for credentials on its own', () => {
    const paths = bundle.sources.map(({ path }) => path);
    const seekers = /node_modules.*(?:credential-provider|token-providers|nested-clients)/;
    expect(paths.filter((path) => seekers.test(path))).toEqual([]);
  });

  it('takes no package from a node_modules that nobody holds against package-lock.json', async () => {
    mkdirSync(join(ROOT, 'build'), { recursive: true });
    const folder = mkdtempSync(join(ROOT, 'build/nearer-'));
    try {
      mkdirSync(join(folder, 'node_modules/zod'), { recursive: true });
      writeFileSync(join(folder, 'node_modules/zod/index.js'), 'export const nearer = 1;');
      const entry = join(folder, 'main.js');
      writeFileSync(entry, "import { nearer } from 'zod'; console.log(nearer);");
      await expect(bundleEntry(entry)).rejects.toMatchObject({ code: 'IMAGE_PACKAGE_FOREIGN' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
