import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createNativeCurves } from '../../../enclave/keys/index.ts';
import { createNobleCurves } from '../../../local/noble-curves.ts';
import { loadNative } from '../../../shared/native/addon.ts';
import { runCase } from '../../fuzz/curve-comparison.ts';
import { hasAddon } from './every-curves.ts';

const CASES = 2_500;

describe.skipIf(!hasAddon)('the addon and noble', () => {
  it(`agree on ${CASES} keys and digests, at the edges of the range too`, { timeout: 180_000 }, () => {
    const [native, noble] = [createNativeCurves(loadNative()), createNobleCurves()];
    const seed = randomBytes(8).toString('hex');
    for (let number = 0; number < CASES; number += 1) {
      expect(runCase(native, seed, number), `case ${number} of seed ${seed}`).toBe(
        runCase(noble, seed, number),
      );
    }
  });
});
