import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compileBinaries } from '../../scripts/image/compile.ts';
import { prepareInputs } from '../../scripts/image/inputs.ts';
import { transportCases } from '../shared/transport/transport-suite.ts';
import { findEmulator } from './harness/emulator.ts';
import { LOOPBACK_VSOCK, writeGuestRamdisk } from './harness/guest-ramdisk.ts';
import { EmulatedHost } from './harness/host.ts';

const emulator = findEmulator();
const PROGRAM = join(import.meta.dirname, 'programs/loopback.ts');

describe.skipIf(emulator === undefined)('the vsock transport over AF_VSOCK, in an emulated machine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-emulated-'));
  const host = new EmulatedHost(emulator ?? '', []);
  const results = new Map<unknown, Record<string, unknown>>();

  beforeAll(async () => {
    const initrd = join(folder, 'initrd');
    await writeGuestRamdisk(initrd, {
      emulator: emulator ?? '',
      binaries: compileBinaries(prepareInputs()),
      modules: LOOPBACK_VSOCK,
      programs: { main: PROGRAM },
    });
    const guest = await host.startGuest('loopback', initrd);
    await guest.waitForReport('done', 150_000);
    for (const result of guest.reports()) results.set(result['name'], result);
  }, 180_000);
  afterAll(async () => {
    await host.close();
    rmSync(folder, { recursive: true });
  });

  test.each(transportCases)('$name', ({ name }) => {
    expect(results.get(name)).toEqual({ report: 'case', name, passed: true });
  });
});
