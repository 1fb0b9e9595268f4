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
  let host: EmulatedHost;
  const results = new Map<unknown, Record<string, unknown>>();

  beforeAll(async () => {
    host = new EmulatedHost(emulator ?? '', []);
    const initrd = join(host.folder, 'initrd');
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
  afterAll(() => host.close());

  test.each(transportCases)('$name', ({ name }) => {
    expect(results.get(name)).toEqual({ report: 'case', name, passed: true });
  });
});
