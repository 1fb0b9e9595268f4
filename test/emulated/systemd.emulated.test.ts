import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findDebian, writeDebianRamdisk } from './harness/debian-machine.ts';
import { findEmulator } from './harness/emulator.ts';
import { EmulatedHost } from './harness/host.ts';
import { afterwards, installStep, kernelSteps, systemdSteps } from './programs/systemd-steps.ts';

const emulator = findEmulator();
const debian = findDebian();
const canBoot = emulator !== undefined && debian !== undefined;
const steps = [installStep([]), ...systemdSteps, ...kernelSteps, ...afterwards([])];
const BOOT_AND_ALL_STEPS_MS = 25 * 60_000;

describe.skipIf(!canBoot)('the parent on a Debian machine that systemd has booted', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-emulated-'));
  const host = new EmulatedHost(emulator ?? '', []);
  const results = new Map<unknown, Record<string, unknown>>();

  beforeAll(async () => {
    const initrd = join(folder, 'initrd');
    const program = join(import.meta.dirname, 'programs/systemd.ts');
    await writeDebianRamdisk(initrd, { emulator: emulator ?? '', debian: debian ?? '', folder, program });
    const guest = await host.startGuest('debian', initrd, undefined, 4_096);
    await guest.waitForReport('done', BOOT_AND_ALL_STEPS_MS);
    for (const result of guest.reports()) results.set(result['name'], result);
  }, BOOT_AND_ALL_STEPS_MS);
  afterAll(async () => {
    await host.close();
    rmSync(folder, { recursive: true });
  });

  test.each(steps)('$name', ({ name }) => {
    expect(results.get(name)).toMatchObject({ name, passed: true });
  });
});
