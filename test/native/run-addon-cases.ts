import { createRequire } from 'node:module';
import type { NativeAddon } from '../../shared/native/addon.ts';
import { addonCases } from './addon-cases.ts';

// Runs the addon's cases without a test runner, for a sanitizer: run-addon-cases.ts ADDON
const path = process.argv[2] ?? '';
const native = createRequire(import.meta.url)(path) as NativeAddon;
for (const addonCase of addonCases) {
  await addonCase.run(native, path);
  process.stdout.write(`ok ${addonCase.name}\n`);
}
