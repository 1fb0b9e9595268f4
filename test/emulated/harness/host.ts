import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CMDLINE } from '../../../scripts/image/cmdline.ts';
import { prepareGuestKernel, prepareInputs } from '../../../scripts/image/inputs.ts';
import { clockArguments } from './emulator.ts';
import { HostProcess } from './processes.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** CID of the parent, as on AWS. */
export const PARENT = 3;
const SWITCH_TIMEOUT_MS = 60_000;
const SLOW_STEP_MS = 20;

export interface EnclaveOptions {
  readonly cid: number;
  readonly eif: string;
  /** Name of the enclave; part of its module id. */
  readonly id: string;
  readonly memoryMiB?: number;
}

export interface BareOptions {
  readonly cid: number;
  /** File with the ramdisks of an image, one behind the other. */
  readonly ramdisks: string;
  readonly id: string;
}

/** Emulated host: one vsock switch and the guests on it. `close` kills everything that runs. */
export class EmulatedHost {
  /** Folder for the host's files. */
  readonly folder = temporaryFolder();
  readonly #emulator: string;
  readonly #processes: HostProcess[] = [];
  readonly #switch: HostProcess | undefined;
  #isClosed = false;

  /** Makes a host; `cids` are those of the guests that will be started. */
  constructor(emulator: string, cids: readonly number[]) {
    this.#emulator = emulator;
    if (cids.length > 0) {
      const machines = cids.flatMap((cid) => [
        '--vm',
        `guest-cid=${cid},socket=${this.#socketOf(cid)},uds-path=${this.unixPathOf(cid)}`,
      ]);
      this.#switch = this.#start('switch', join(emulator, 'vhost-device-vsock'), machines);
    }
  }

  /**
   * Path of the switch's Unix socket by which this machine, CID 2, reaches a guest's ports: `CONNECT PORT` and a line feed
   * come first, and the response is a line too. What a guest connects to at CID 2 comes to the path with `_PORT` behind it.
   */
  unixPathOf(cid: number): string {
    return join(this.folder, `uds${cid}`);
  }

  #socketOf(cid: number): string {
    return join(this.folder, `vhost${cid}`);
  }

  #start(name: string, command: string, args: readonly string[]): HostProcess {
    if (this.#isClosed) throw new Error('this host is closed');
    const process = new HostProcess(name, command, args);
    this.#processes.push(process);
    return process;
  }

  async #vsockDevice(cid: number): Promise<string[]> {
    if (this.#switch === undefined) throw new RangeError('this host has no switch');
    for (let waited = 0; !existsSync(this.#socketOf(cid)); waited += SLOW_STEP_MS) {
      if (waited > SWITCH_TIMEOUT_MS) throw new Error(`no switch\n${this.#switch.lines.join('\n')}`);
      await sleep(SLOW_STEP_MS);
    }
    return ['-chardev', `socket,id=vsock,path=${this.#socketOf(cid)}`];
  }

  #machine(): string[] {
    return [
      '-nographic',
      '-no-reboot',
      '-accel',
      'tcg',
      '-cpu',
      'max',
      '-smp',
      '1',
      '-L',
      join(this.#emulator, 'fw'),
    ];
  }

  /** Boots a plain machine from a ramdisk; with `cid`, it is on the switch. */
  async startGuest(name: string, initrd: string, cid?: number, memoryMiB = 768): Promise<HostProcess> {
    const vsock =
      cid === undefined
        ? []
        : [...(await this.#vsockDevice(cid)), '-device', 'vhost-user-vsock-device,chardev=vsock'];
    return this.#start(name, join(this.#emulator, 'qemu-system-x86_64'), [
      '-M',
      'microvm,acpi=on,memory-backend=memory',
      '-object',
      `memory-backend-memfd,id=memory,size=${memoryMiB}M,share=on`,
      '-m',
      `${memoryMiB}M`,
      ...this.#machine(),
      ...vsock,
      '-kernel',
      join(prepareGuestKernel(), 'vmlinuz'),
      '-initrd',
      initrd,
      '-append',
      `reboot=t panic=-1 console=ttyS0 quiet random.trust_cpu=on ${clockArguments()}`,
    ]);
  }

  /** Boots an image on QEMU's nitro-enclave machine, with its emulated NSM, and without ACPI, as on EC2. */
  async startEnclave({ cid, eif, id, memoryMiB = 512 }: EnclaveOptions): Promise<HostProcess> {
    const vsock = await this.#vsockDevice(cid);
    return this.#start(id, join(this.#emulator, 'qemu-system-x86_64'), [
      '-M',
      `nitro-enclave,vsock=vsock,id=${id}`,
      '-m',
      `${memoryMiB}M`,
      ...this.#machine(),
      ...vsock,
      '-kernel',
      eif,
      '-append',
      clockArguments(),
    ]);
  }

  /** Boots an image's kernel with its ramdisks on the machine that nitro-enclave is made of, without an NSM. */
  async startWithoutNsm({ cid, ramdisks, id }: BareOptions): Promise<HostProcess> {
    const memory = '512M';
    return this.#start(id, join(this.#emulator, 'qemu-system-x86_64'), [
      '-M',
      'microvm,acpi=off,memory-backend=memory',
      '-object',
      `memory-backend-memfd,id=memory,size=${memory},share=on`,
      '-m',
      memory,
      ...this.#machine(),
      ...(await this.#vsockDevice(cid)),
      '-device',
      'vhost-user-vsock-device,chardev=vsock',
      '-kernel',
      prepareInputs().kernel,
      '-initrd',
      ramdisks,
      '-append',
      `${CMDLINE} ${clockArguments()}`,
    ]);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all(this.#processes.map((process) => process.kill()));
  }
}
