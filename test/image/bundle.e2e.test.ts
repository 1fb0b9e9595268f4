import { describe, expect, it } from 'vitest';
import { bundleEntry } from '../../scripts/image/bundle.ts';

/** The most bytes of code in an image: whoever measures it has to be able to read it. */
const MAX_BUNDLE_BYTES = 1_000_000;

describe('the code of an enclave', () => {
  it('is at most a million bytes, and of BLS12-381 no other implementation than the one that is said', async () => {
    const { code, sources } = await bundleEntry('enclave/main.ts');
    expect(code.length).toBeLessThanOrEqual(MAX_BUNDLE_BYTES);
    const paths = sources.map(({ path }) => path);
    expect(paths).toContain('node_modules/@noble/curves/bls12-381.js');
    expect(paths.filter((path) => /blst|local\//.test(path))).toEqual([]);
  });
});
