import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  AWS_NITRO_ROOT_G1,
  unsafeParseAttestationDocument,
  verifyAttestationDocument,
} from '../../attestation/index.ts';
import { createLocalSigner } from '../../attestation/eif/index.ts';
import { parseExitReport } from '../../shared/native/exit-report.ts';
import { bundleEntry } from '../../scripts/image/bundle.ts';
import { compileBinaries } from '../../scripts/image/compile.ts';
import { buildImage, type BuiltImage, type ImageOptions } from '../../scripts/image/image.ts';
import { prepareInputs } from '../../scripts/image/inputs.ts';
import { layOutRamdisks } from '../../scripts/image/layout.ts';
import { createTestSigner, NOT_BEFORE } from '../attestation/eif/signed-image.ts';
import { findEmulator } from './harness/emulator.ts';
import { SWITCHED_VSOCK, writeGuestRamdisk } from './harness/guest-ramdisk.ts';
import { EmulatedHost, PARENT } from './harness/host.ts';
import type { HostProcess } from './harness/processes.ts';

const emulator = findEmulator();
const PROGRAMS = join(import.meta.dirname, 'programs');
const PROBE = 16;
const KILLED = 17;
const CARELESS = 18;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe.skipIf(emulator === undefined)('an enclave image on an emulated Nitro host', () => {
  let host: EmulatedHost;
  let image: BuiltImage;
  let parent: HostProcess;
  let probe: HostProcess;

  function reportOf(process: HostProcess, name: string): Record<string, unknown> | undefined {
    return process.reports().find(({ report }) => report === name);
  }

  function exitOf(cid: number) {
    const report = parent.reports().find((found) => found['report'] === 'exit' && found['cid'] === cid);
    return parseExitReport(String(report?.['line']));
  }

  beforeAll(async () => {
    const inputs = prepareInputs();
    const binaries = compileBinaries(inputs);
    host = new EmulatedHost(emulator ?? '', [PARENT, PROBE, KILLED, CARELESS]);
    const initrd = join(host.folder, 'initrd');
    await writeGuestRamdisk(initrd, {
      emulator: emulator ?? '',
      binaries,
      modules: SWITCHED_VSOCK,
      programs: { main: join(PROGRAMS, 'parent-probe.ts') },
    });
    parent = await host.startGuest('parent', initrd, PARENT);

    const { code } = await bundleEntry(join(PROGRAMS, 'enclave-probe.ts'));
    const pathOf = (cid: number) => join(host.folder, `${cid}.eif`);
    const build = (cid: number, text: Uint8Array, options: Partial<ImageOptions> = {}) =>
      buildImage(inputs, layOutRamdisks(inputs, binaries, text), {
        path: pathOf(cid),
        useCache: true,
        ...options,
      });
    const signer = await createTestSigner();
    image = await build(PROBE, code, {
      sign: createLocalSigner(signer.key, signer.certificate, NOT_BEFORE),
    });
    await build(KILLED, Buffer.from("process.kill(process.pid, 'SIGKILL');"));
    await build(
      CARELESS,
      Buffer.from("import { writeSync } from 'node:fs'; writeSync(3, 'key=5f1d2b'); throw new Error('x');"),
    );
    await parent.waitForReport('ready', 90_000);
    const start = (cid: number) =>
      host.startEnclave({ cid, eif: pathOf(cid), id: `i-0123456789abcdef0-enc${cid}`, memoryMiB: 256 });
    probe = await start(PROBE);
    await probe.waitForExit(120_000);
    const others = await Promise.all([KILLED, CARELESS].map(start));
    await Promise.all(others.map((enclave) => enclave.waitForExit(120_000)));
  }, 420_000);
  afterAll(() => host.close());

  test('runs to its end in 256 MiB', () => {
    expect(reportOf(probe, 'done')).toBeDefined();
  });

  test('has the PCRs in the device that the build has computed, that of its signer too', () => {
    const pcrs = reportOf(probe, 'nsm')?.['pcrs'] as Record<number, string>;
    expect([...image.eif.measurements.keys()]).toEqual([0, 1, 2, 8]);
    for (const [index, value] of image.eif.measurements) expect(pcrs[index]).toBe(hex(value));
  });

  test('measures a manifest into PCR16 and locks it', () => {
    const start = new Uint8Array(48);
    const extended = createHash('sha384').update(start).update('manifest').digest('hex');
    expect(reportOf(probe, 'pcr16')).toEqual({
      report: 'pcr16',
      extended,
      locked: true,
      again: 'NSM_REFUSED',
    });
  });

  test('gets documents that carry its PCRs, and that no verifier takes: they are not signed', () => {
    const bytes = Buffer.from(String(reportOf(probe, 'document')?.['document']), 'hex');
    const { payload } = unsafeParseAttestationDocument(bytes);
    for (const [index, value] of image.eif.measurements)
      expect(hex(payload.pcrs.get(index) ?? bytes)).toBe(hex(value));
    expect(payload.userData).toHaveLength(1024);
    const options = { root: AWS_NITRO_ROOT_G1, at: 'document', pcrs: image.eif.measurements } as const;
    expect(() => verifyAttestationDocument(bytes, options)).toThrow(
      expect.objectContaining({ name: 'AttestationError', code: 'COSE_ALGORITHM' }),
    );
  });

  test('queues requests to the device', () => {
    expect(reportOf(probe, 'queued')).toEqual({ report: 'queued', answers: 20 });
  });

  test('starts with the NSM as the source of entropy, and the program sees that too', () => {
    expect(reportOf(probe, 'checked')).toBeDefined();
  });

  test('sends the heartbeat to CID 3, port 9000, before anything else', () => {
    expect(parent.reports()[1]).toEqual({ report: 'heartbeat', cid: PROBE, beat: 'b7' });
  });

  test('reaches the parent over AF_VSOCK, and is known there by its CID', () => {
    expect(reportOf(probe, 'vsock')).toEqual({
      report: 'vsock',
      cid: PROBE,
      echo: 'from the enclave',
      nobody: 'CONNECT_REFUSED',
    });
    expect(parent.reports()).toContainEqual({ report: 'dialled', cid: PROBE });
  });

  test('gives its program no environment, no argument and no privilege', () => {
    expect(reportOf(probe, 'restrictions')).toEqual({
      report: 'restrictions',
      uid: 1000,
      environment: { HOME: '/', TZ: 'UTC', NODE_ENV: 'production' },
      arguments: [],
      writeRoot: 'ERR_ACCESS_DENIED',
      writeApp: 'ERR_ACCESS_DENIED',
      readInit: 'ERR_ACCESS_DENIED',
      readKernelLog: 'ERR_ACCESS_DENIED',
      limits: 'ERR_ACCESS_DENIED',
      spawn: 'ERR_ACCESS_DENIED',
      worker: 'ERR_ACCESS_DENIED',
      connectTcp: 'ERR_ACCESS_DENIED',
      generatedCode: 'UNKNOWN',
    });
  });

  test('tells the parent the code that its program ended with', () => {
    expect(exitOf(PROBE)).toEqual({ exitCode: 7, signal: 0, reason: 'PROBE_DONE' });
  });

  test('tells the parent when its program was killed', () => {
    expect(exitOf(KILLED)).toEqual({ exitCode: 0, signal: 9, reason: 'NONE' });
  });

  test('passes on no reason that could be data', () => {
    expect(exitOf(CARELESS)).toEqual({ exitCode: 1, signal: 0, reason: 'NONE' });
  });
});
