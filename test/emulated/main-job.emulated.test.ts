import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatPcrFile } from '../../attestation/index.ts';
import { startLocalAws } from '../../local/aws/local-aws.ts';
import { bundleEntry } from '../../scripts/image/bundle.ts';
import { compileBinaries } from '../../scripts/image/compile.ts';
import type { CpioEntry } from '../../scripts/image/cpio.ts';
import { buildImage } from '../../scripts/image/image.ts';
import { prepareInputs } from '../../scripts/image/inputs.ts';
import { layOutRamdisks } from '../../scripts/image/layout.ts';
import { findEmulator } from './harness/emulator.ts';
import { SWITCHED_VSOCK, writeGuestRamdisk } from './harness/guest-ramdisk.ts';
import { EmulatedHost, PARENT } from './harness/host.ts';
import type { HostProcess } from './harness/processes.ts';

const emulator = findEmulator();
const PROGRAMS = join(import.meta.dirname, 'programs');
// One for each start, and some for starts that hang.
const CIDS = [16, 17, 18, 19, 20, 21, 22, 23];
const file = (path: string, content: Uint8Array | string): CpioEntry => ({
  path,
  kind: 'file',
  content: Buffer.from(content),
});

describe.skipIf(emulator === undefined)('the main job with the real image, on an emulated Nitro host', () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-emulated-'));
  const host = new EmulatedHost(emulator ?? '', [PARENT, ...CIDS]);
  const enclaves = new Map<unknown, HostProcess>();
  let parent: HostProcess;

  function stepOf(name: string): Record<string, unknown> {
    const { ms: _, ...step } = parent.reports().find((found) => found['name'] === name) ?? {};
    return step;
  }

  /** Makes the authority of the stand-in for AWS, which both the image and the stand-in's guest get. */
  async function makeAuthority(): Promise<{ roots: string; state: CpioEntry[] }> {
    const stateDirectory = join(folder, 'aws');
    mkdirSync(stateDirectory);
    const aws = await startLocalAws({
      stateDirectory,
      verifyRecipient: () => {
        throw new TypeError('nobody asks it');
      },
    });
    await aws.close();
    const files = readdirSync(stateDirectory).map((name) =>
      file(`app/aws/${name}`, readFileSync(join(stateDirectory, name))),
    );
    return { roots: aws.caPem, state: [{ path: 'app/aws', kind: 'directory' }, ...files] };
  }

  beforeAll(async () => {
    const inputs = prepareInputs();
    const binaries = compileBinaries(inputs);
    const { roots, state } = await makeAuthority();
    const { code } = await bundleEntry(join(PROGRAMS, 'enclave-node.ts'));
    const pcrFiles: CpioEntry[] = [];
    // The second image is the first one with a comment more: another measurement, the same program.
    for (const [image, suffix] of [
      ['first', ''],
      ['second', '\n// the next release\n'],
    ]) {
      const ramdisks = layOutRamdisks(inputs, binaries, Buffer.concat([code, Buffer.from(suffix ?? '')]));
      const program = [...ramdisks.program, file('app/kms-roots.pem', roots)];
      const path = join(folder, `${image}.eif`);
      const { eif } = await buildImage(inputs, { ...ramdisks, program }, { path, useCache: true });
      pcrFiles.push(file(`app/${image}.pcr.json`, formatPcrFile(eif.measurements)));
    }
    const initrd = join(folder, 'initrd');
    const entry = join(PROGRAMS, 'main-job.ts');
    await writeGuestRamdisk(initrd, emulator ?? '', binaries, entry, SWITCHED_VSOCK, [...state, ...pcrFiles]);

    parent = await host.startGuest('parent', initrd, PARENT);
    const handled = new Set<number>();
    const isDone = await new Promise<boolean>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(describeConsoles())), 800_000);
      parent.onLine(() => {
        for (const [index, report] of parent.reports().entries()) {
          if (handled.has(index)) continue;
          handled.add(index);
          obey(report).catch(reject);
        }
        if (parent.reports().some(({ report }) => report === 'done') || parent.hasExited) {
          clearTimeout(timer);
          resolve(!parent.hasExited);
        }
      });
    });
    if (!isDone) throw new Error(describeConsoles());
  }, 900_000);

  async function obey({ report, image, cid }: Record<string, unknown>): Promise<void> {
    if (report === 'terminate') await enclaves.get(cid)?.kill();
    if (report === 'retry') {
      process.stderr.write(`\nRETRIED: the emulator hung while enclave ${String(cid)} booted\n`);
    }
    if (report !== 'launch') return;
    const eif = join(folder, `${String(image)}.eif`);
    const id = `i-0123456789abcdef0-enc${String(cid)}`;
    enclaves.set(cid, await host.startEnclave({ cid: Number(cid), eif, id }));
  }

  function describeConsoles(): string {
    return [parent, ...enclaves.values()]
      .map(({ name, lines }) => `${name}:\n${lines.slice(-60).join('\n')}`)
      .join('\n\n');
  }

  afterAll(async () => {
    if (process.env['HOLDFAST_SHOW_CONSOLES'] !== undefined) process.stderr.write(`${describeConsoles()}\n`);
    await host.close();
    rmSync(folder, { recursive: true });
  });

  test('boots, measures the manifest, has KMS make its password for an attested key, and signs', () => {
    expect(stepOf('first start')).toMatchObject({ outcome: 'serving', signed: true });
  });

  test('goes on signing when the parent was stopped and started again', () => {
    expect(stepOf('the parent restarts')).toMatchObject({ same: true });
  });

  test('opens its sealed store by an attested Decrypt at the next start, and finds its keys again', () => {
    expect(stepOf('second start on the same store')).toMatchObject({ outcome: 'serving', same: true });
  });

  test('P03 refuses an image that the key policy does not name', () => {
    expect(stepOf('an image that the key policy does not name')).toMatchObject({
      outcome: 'KMS_ACCESS_DENIED',
    });
  });

  test('takes the keys over to the next image when the key policy names it', () => {
    expect(stepOf('that image when the key policy names it')).toMatchObject({
      outcome: 'serving',
      same: true,
    });
  });

  test('refuses the old image when the key policy no longer names it', () => {
    expect(stepOf('the old image when the key policy no longer names it')).toMatchObject({
      outcome: 'KMS_ACCESS_DENIED',
    });
  });

  test('refuses another manifest', () => {
    expect(stepOf('another manifest')).toMatchObject({ outcome: 'CONFIGURATION_OTHER_MANIFEST' });
  });
});
