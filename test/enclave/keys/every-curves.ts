import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createNativeCurves, type Curves } from '../../../enclave/keys/index.ts';
import { createNobleCurves } from '../../../local/noble-curves.ts';
import { loadNative } from '../../../shared/native/addon.ts';

export const hasAddon = existsSync(join(import.meta.dirname, '../../../build/holdfast.node'));

/** The implementations of curves that there are on this machine, by name. */
export function listCurves(): { readonly name: 'noble' | 'the addon'; readonly curves: Curves }[] {
  const noble = { name: 'noble', curves: createNobleCurves() } as const;
  return hasAddon ? [noble, { name: 'the addon', curves: createNativeCurves(loadNative()) }] : [noble];
}
