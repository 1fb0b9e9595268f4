import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Path of this machine's Chromium: `CHROMIUM` names one, and scripts/install-test-tools.sh installs one. */
export const chromiumPath = process.env['CHROMIUM'] ?? PATHS.find((path) => existsSync(path));

export async function launchChromium(): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error('there is no Chromium on this machine');
  // The sandbox does not work for root, as whom containers run tests.
  return chromium.launch({ executablePath: chromiumPath, chromiumSandbox: process.getuid?.() !== 0 });
}
