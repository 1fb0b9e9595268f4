import { join } from 'node:path';
import { compileBinaries } from '../../../scripts/image/compile.ts';
import { prepareInputs } from '../../../scripts/image/inputs.ts';
import type { LifeImage } from '../programs/life-steps.ts';
import { SWITCHED_VSOCK, writeGuestRamdisk } from './guest-ramdisk.ts';
import { EmulatedHost, PARENT } from './host.ts';
import { buildLifeImages, type LifeImages } from './life-images.ts';
import type { HostProcess } from './processes.ts';

const ROOT = join(import.meta.dirname, '../../..');
// CIDs of the enclaves: one for each start, and some for starts that hang.
const CIDS = Array.from({ length: 14 }, (_, index) => 16 + index);
const LIFE_TIMEOUT_MS = 1_200_000;

/** Report of guest 3: see programs/node-life.ts. */
export type LifeReport = Readonly<Record<string, unknown>>;

/** An emulated host on which the life of one node is played: `build`, then `play`, then `close` in any case. */
export class LifeHost {
  readonly #emulator: string;
  readonly #host: EmulatedHost;
  readonly #enclaves = new Map<unknown, HostProcess>();
  #parent: HostProcess | undefined;
  #images: LifeImages | undefined;

  constructor(emulator: string) {
    this.#emulator = emulator;
    this.#host = new EmulatedHost(emulator, [PARENT, ...CIDS]);
  }

  /** Builds the images, and the guest that plays the parent. */
  async build(): Promise<LifeImages> {
    const binaries = compileBinaries(prepareInputs());
    const images = await buildLifeImages(this.#host.folder, binaries);
    await writeGuestRamdisk(join(this.#host.folder, 'initrd'), {
      emulator: this.#emulator,
      binaries,
      modules: SWITCHED_VSOCK,
      programs: {
        main: join(import.meta.dirname, '../programs/node-life.ts'),
        holdfast: join(ROOT, 'cli/main.ts'),
      },
      extra: images.guestFiles,
    });
    this.#images = images;
    return images;
  }

  /** Boots the parent's guest, starts enclaves as it asks, and returns when it has played all steps. */
  async play(onReport: (report: LifeReport) => void): Promise<void> {
    const images = this.#images;
    if (images === undefined) throw new TypeError('nothing was built');
    const parent = await this.#host.startGuest('parent', join(this.#host.folder, 'initrd'), PARENT, 1024);
    this.#parent = parent;
    const { promise: failed, reject } = Promise.withResolvers<never>();
    let seen = 0;
    parent.onLine(() => {
      const reports = parent.reports();
      for (; seen < reports.length; seen += 1) {
        const report = reports[seen] ?? {};
        onReport(report);
        this.#obey(report, images).catch(reject);
      }
    });
    await Promise.race([failed, parent.waitForReport('done', LIFE_TIMEOUT_MS)]);
  }

  async #obey({ report, image, cid }: LifeReport, images: LifeImages): Promise<void> {
    if (report === 'terminate') await this.#enclaves.get(cid)?.kill();
    if (report !== 'launch') return;
    const id = `i-0123456789abcdef0-enc${String(cid)}`;
    const path = images.pathOf(image as LifeImage);
    const enclave =
      image === 'without-nsm'
        ? this.#host.startWithoutNsm({ cid: Number(cid), ramdisks: path, id })
        : this.#host.startEnclave({ cid: Number(cid), eif: path, id });
    this.#enclaves.set(cid, await enclave);
  }

  /** Describes the last lines that each machine has printed. */
  describeConsoles(lines = 60): string {
    return [...(this.#parent === undefined ? [] : [this.#parent]), ...this.#enclaves.values()]
      .map((machine) => `${machine.name}:\n${machine.lines.slice(-lines).join('\n')}`)
      .join('\n\n');
  }

  /** Kills all that runs. */
  close(): Promise<void> {
    return this.#host.close();
  }
}
