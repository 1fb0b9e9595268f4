import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatPcrFile } from '../../attestation/index.ts';
import { startLocalAws } from '../../local/testbed/local-aws.ts';
import { bundleEntry } from '../../scripts/image/bundle.ts';
import { compileBinaries } from '../../scripts/image/compile.ts';
import type { CpioEntry } from '../../scripts/image/cpio.ts';
import { buildImage, type BuiltImage } from '../../scripts/image/image.ts';
import { prepareInputs } from '../../scripts/image/inputs.ts';
import { layOutRamdisks } from '../../scripts/image/layout.ts';
import { SWITCHED_VSOCK, writeGuestRamdisk } from '../../test/emulated/harness/guest-ramdisk.ts';
import { EmulatedHost, PARENT } from '../../test/emulated/harness/host.ts';
import type { HostProcess } from '../../test/emulated/harness/processes.ts';
import { readCpuTime } from '../node/process-usage.ts';

const FIRST_CID = 16;
const ROUND_TIMEOUT_MS = 240_000;
const PARENT_MEMORY_MIB = 1024;

/** Start of one image; milliseconds from the start of its machine, by this machine's clock. */
export interface Start {
  readonly image: 'empty' | 'node';
  readonly heartbeat: number;
  /** Time at which Node has ended its start, or the node serves. */
  readonly ready: number;
  /**
   * Processor time that the emulator had spent by then. The figure bears other work on this machine, and does not count
   * the wait for the parent and for KMS, which run in another emulated machine.
   */
  readonly cpu: { readonly heartbeat: number; readonly ready: number };
  /** Time at which the first signature has reached its client, the client's questions about the node included. */
  readonly signed: number | undefined;
  /** Milliseconds of the signature's own request. */
  readonly signMs: number | undefined;
  /** Times that the program reports of its own start, in milliseconds: see BootTimes. */
  readonly times: Readonly<Record<string, number>>;
  /** Peak of Node's own memory, and all memory that the machine has in use when it is ready. */
  readonly peakBytes: number;
  readonly usedBytes: number;
}

type Fields = Readonly<Record<string, unknown>>;
const file = (path: string, content: Uint8Array | string): CpioEntry => ({
  path,
  kind: 'file',
  content: Buffer.from(content),
});

/** Makes the authority of the stand-in for AWS: the image believes it, and guest 3 speaks for it. */
async function makeAuthority(stateDirectory: string): Promise<{ roots: CpioEntry; state: CpioEntry[] }> {
  mkdirSync(stateDirectory);
  const verifyRecipient = () => {
    throw new TypeError('expected no request to this stand-in');
  };
  const aws = await startLocalAws({ stateDirectory, verifyRecipient });
  await aws.close();
  const files = readdirSync(stateDirectory).map((name) =>
    file(`app/aws/${name}`, readFileSync(join(stateDirectory, name))),
  );
  return {
    roots: file('app/kms-roots.pem', aws.caPem),
    state: [{ path: 'app/aws', kind: 'directory' }, ...files],
  };
}

/**
 * Starts an empty image and a node in turn, each in a machine of its own behind one parent, as often as told. The node's
 * first start, which makes its password and keys, is not among the results.
 */
export async function playRounds(
  emulator: string,
  { rounds, memoryMiB }: { rounds: number; memoryMiB: number },
): Promise<{ starts: Start[]; image: BuiltImage }> {
  const plan = Array.from({ length: 2 * rounds + 1 }, (_, index) => ({
    image: index % 2 === 0 ? ('node' as const) : ('empty' as const),
    cid: FIRST_CID + index,
  }));
  const host = new EmulatedHost(emulator, [PARENT, ...plan.map(({ cid }) => cid)]);
  try {
    const image = await prepare(host, emulator, plan);
    const parent = await host.startGuest('parent', join(host.folder, 'initrd'), PARENT, PARENT_MEMORY_MIB);
    const starts = await follow(host, parent, { plan, memoryMiB });
    return { starts: starts.slice(1), image };
  } finally {
    await host.close();
  }
}

async function waitForReady(
  machine: HostProcess,
  failed: () => Fields | undefined,
): Promise<Fields | undefined> {
  const ready = () => machine.reports().find(({ report }) => report === 'ready');
  const isOver = () => ready() ?? (machine.hasExited ? (failed() ?? {}) : undefined);
  await machine.waitUntil('end of the start', isOver, ROUND_TIMEOUT_MS);
  return ready();
}

/** Finds the emulator of the machine with an id: the one that was started last. */
function findProcess(id: string): number {
  const pids = readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number);
  const found = pids.findLast((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return words.includes('qemu-system') && words.includes(`,id=${id}\0`);
    } catch {
      return false; // It has ended meanwhile.
    }
  });
  if (found === undefined) throw new RangeError(`expected a process of machine ${id}`);
  return found;
}

async function prepare(host: EmulatedHost, emulator: string, plan: readonly object[]): Promise<BuiltImage> {
  const inputs = prepareInputs();
  const binaries = compileBinaries(inputs);
  const { roots, state } = await makeAuthority(join(host.folder, 'aws'));
  const build = async (name: string, extra: readonly CpioEntry[]) => {
    const { code } = await bundleEntry(join(import.meta.dirname, `${name}-process.ts`));
    const { program, ...others } = layOutRamdisks(inputs, binaries, code);
    const path = join(host.folder, `${name}.eif`);
    return await buildImage(inputs, { ...others, program: [...program, ...extra] }, { path, useCache: true });
  };
  await build('empty', []);
  const image = await build('node', [roots]);
  await writeGuestRamdisk(join(host.folder, 'initrd'), {
    emulator,
    binaries,
    modules: SWITCHED_VSOCK,
    programs: {
      main: join(import.meta.dirname, 'parent-process.ts'),
      holdfast: join(import.meta.dirname, '../../cli/main.ts'),
    },
    extra: [
      ...state,
      file('app/node.pcr.json', formatPcrFile(image.eif.measurements)),
      file('app/rounds.json', JSON.stringify(plan)),
    ],
  });
  return image;
}

async function follow(
  host: EmulatedHost,
  parent: HostProcess,
  { plan, memoryMiB }: { plan: readonly { cid: number; image: Start['image'] }[]; memoryMiB: number },
): Promise<Start[]> {
  const starts: Start[] = [];
  for (const { cid, image } of plan) {
    const told = (name: string) => (): Fields | undefined =>
      parent.reports().find((found) => found['report'] === name && found['cid'] === cid);
    await parent.waitUntil(`launch of ${cid}`, told('launch'), ROUND_TIMEOUT_MS);
    const startedAt = performance.now();
    const since = () => performance.now() - startedAt;
    const id = `i-0123456789abcdef0-enc${cid}`;
    const spent = () => readCpuTime(findProcess(id));
    const machine = await host.startEnclave({ cid, eif: join(host.folder, `${image}.eif`), id, memoryMiB });
    await parent.waitUntil('heartbeat', told('heartbeat'), ROUND_TIMEOUT_MS);
    const heartbeat = since();
    const cpuAtHeartbeat = spent();
    const said = await waitForReady(machine, told('failed'));
    if (said === undefined) {
      // A machine so busy that the node gave up on its parent shows nothing about the image.
      process.stderr.write(`${image} ${cid}: not counted, it did not start\n`);
      continue;
    }
    const ready = since();
    const cpu = { heartbeat: cpuAtHeartbeat, ready: spent() };
    const signed =
      image === 'node' ? await parent.waitUntil('signature', told('signed'), ROUND_TIMEOUT_MS) : undefined;
    if (signed !== undefined && signed['code'] !== 'ok')
      throw new Error(`no signature: ${String(signed['code'])}`);
    const atSigned = signed === undefined ? undefined : since();
    // An image that ends by itself tells the parent, which waits for that.
    if (image === 'empty') await machine.waitForExit(ROUND_TIMEOUT_MS);
    await machine.kill();
    starts.push({
      image,
      heartbeat,
      ready,
      cpu,
      signed: atSigned,
      signMs: signed?.['signMs'] as number | undefined,
      times: (said['times'] ?? {}) as Start['times'],
      peakBytes: Number(said['peakBytes']),
      usedBytes: Number(said['usedBytes']),
    });
    process.stderr.write(`${image} ${cid}: ready after ${Math.round(ready)} ms\n`);
  }
  return starts;
}
