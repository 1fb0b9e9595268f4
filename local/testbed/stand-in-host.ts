import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { dnsSuffixOf } from '../../shared/aws/partitions.ts';
import type { AwsCredentials } from '../aws/index.ts';
import type { NitroHost } from '../nitro-host/index.ts';
import type { HoldfastCommand } from './holdfast-command.ts';
import { Enclaves } from './host/enclaves.ts';
import { MetadataService } from './host/metadata-service.ts';
import { ShimServer, writeShims } from './host/shim-server.ts';
import { Unit } from './host/unit.ts';

const UNIT = 'holdfast-parent.service';
/** What SSM sends begins with this path, which leads to the command of this working copy here. */
const INSTALLED = '/opt/holdfast/bin/holdfast';
const STATUS_PORT = 9_464;
const WORD = /^[A-Za-z0-9@%+=:,./_-]{1,2048}$/;
/** Longest output of a command that is kept, in bytes. */
const MAX_OUTPUT_BYTES = 1024 * 1024;

export interface StandInHostOptions {
  /** Folder that is the host's root. */
  readonly folder: string;
  /** Nitro host of its own: one instance, with the enclaves that run on it. */
  readonly nitro: NitroHost;
  /** Command of this working copy, as {@link HoldfastCommand}. */
  readonly command: HoldfastCommand;
  readonly aws: { readonly port: number; readonly caPem: string };
  readonly region: string;
  readonly accountId: string;
  readonly roleName: string;
  /** Makes credentials of the instance's role. */
  readonly credentials: () => AwsCredentials;
  /** `i-` and 17 hex digits; a new one when left out. */
  readonly instanceId?: string;
  /** Address of the host, of 127.0.0.0/8; a random one when left out. */
  readonly address?: string;
  /** Called with each line that the parent prints, and each of an enclave's console. */
  readonly onLine?: (line: string) => void;
}

export interface RunLineOptions {
  /** Ends the command at once. */
  readonly signal?: AbortSignal;
  /** Called with what the command says of its progress. */
  readonly onStderr?: (text: string) => void;
}

/** Result of a command line. */
export interface HostCommandResult {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * An EC2 instance on this machine: a folder as its root, systemctl and nitro-cli on its PATH, a metadata service, an address.
 * Its parent is a process of its own that reads the host's /etc/holdfast, and its enclaves run on a local Nitro host.
 */
export class StandInHost {
  readonly instanceId: string;
  readonly address: string;
  readonly folder: string;
  readonly accountId: string;
  readonly region: string;
  readonly #options: StandInHostOptions;
  readonly #run: string;
  readonly #commands = new Set<ChildProcess>();
  #unit: Unit | undefined;
  #isEnabled = false;
  #enclaves: Enclaves | undefined;
  #shims: ShimServer | undefined;
  #metadata: MetadataService | undefined;

  private constructor(options: StandInHostOptions, run: string) {
    this.#options = options;
    this.#run = run;
    this.folder = options.folder;
    this.accountId = options.accountId;
    this.region = options.region;
    this.instanceId = options.instanceId ?? `i-${randomBytes(9).toString('hex').slice(1)}`;
    this.address = options.address ?? randomLoopback();
  }

  /** Launches a host with the parent installed and nothing deployed, as the user data of its stack leaves it. */
  static async launch(options: StandInHostOptions): Promise<StandInHost> {
    // The path of a Unix socket has a hundred bytes.
    const run = await mkdtemp(join(tmpdir(), 'holdfast-host-'));
    const host = new StandInHost(options, run);
    await host.#install();
    await host.boot();
    return host;
  }

  /** Base URL of the status page of the parent. */
  get statusUrl(): string {
    return `http://${this.address}:${STATUS_PORT}`;
  }

  get isUp(): boolean {
    return this.#shims !== undefined;
  }

  /** Process id of the parent; undefined while it does not run. */
  get parentPid(): number | undefined {
    return this.#unit?.pid;
  }

  /** Path of a file on this host. */
  pathOf(path: string): string {
    return join(this.folder, path);
  }

  /**
   * Switches the host on: its services, and the parent where it is enabled.
   * @param startsParent false boots as a person does who wants to look at a disk first; true when left out
   */
  async boot({ startsParent = true } = {}): Promise<void> {
    if (this.isUp) return;
    const { nitro, credentials, accountId, region, roleName, onLine } = this.#options;
    const { instanceId } = this;
    this.#metadata = await MetadataService.open({ instanceId, accountId, region, roleName, credentials });
    const enclaves = new Enclaves(nitro, instanceId, onLine);
    const [program, ...before] = this.#options.command;
    const unit = new Unit({
      name: UNIT,
      command: [program, ...before, 'parent', 'run', '--config', this.pathOf('etc/holdfast/parent.yaml')],
      env: this.#env(),
      ready: 'parent.started',
      ...(onLine === undefined ? {} : { onLine }),
    });
    unit.isEnabled = this.#isEnabled;
    this.#enclaves = enclaves;
    this.#unit = unit;
    this.#shims = await ShimServer.open(join(this.#run, 'shims'), {
      systemctl: (args) => unit.control(args),
      'nitro-cli': (args) => enclaves.control(args),
    });
    if (unit.isEnabled && startsParent) await unit.start();
  }

  /** Ends everything on the host at once, as the loss of power does. Its folder stays. */
  async crash(): Promise<void> {
    const [unit, enclaves, shims, metadata] = [this.#unit, this.#enclaves, this.#shims, this.#metadata];
    this.#isEnabled = unit?.isEnabled ?? false;
    this.#shims = undefined;
    for (const child of this.#commands) child.kill('SIGKILL');
    await unit?.kill();
    await enclaves?.kill();
    await shims?.close();
    await metadata?.close();
  }

  /** Ends the host for good, and its disk with it. */
  async destroy(): Promise<void> {
    await this.crash();
    await rm(this.#run, { recursive: true, force: true });
    await rm(this.folder, { recursive: true, force: true });
  }

  /**
   * Runs a command line as root does by way of SSM. Nothing but the installed command runs here: no shell sees the line.
   */
  async run(line: string, { signal, onStderr }: RunLineOptions = {}): Promise<HostCommandResult> {
    const [program = '', ...args] = line.trim().split(/ +/);
    if (!this.isUp) return { exit: 255, stdout: '', stderr: 'this host is down\n' };
    if (program !== INSTALLED || !args.every((word) => WORD.test(word))) {
      return { exit: 127, stdout: '', stderr: `a stand-in host runs ${INSTALLED} alone\n` };
    }
    const child = spawn(this.pathOf(INSTALLED), args, {
      env: this.#env(),
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(signal === undefined ? {} : { signal, killSignal: 'SIGKILL' as const }),
    });
    this.#commands.add(child);
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (chunk: string) => {
        if (output[name].length < MAX_OUTPUT_BYTES) output[name] += chunk;
        if (name === 'stderr') onStderr?.(chunk);
      });
    }
    child.on('error', () => undefined);
    const [code] = (await once(child, 'close')) as [number | null];
    this.#commands.delete(child);
    return { exit: code ?? 137, ...output };
  }

  async #install(): Promise<void> {
    const { nitro, aws, region, command } = this.#options;
    for (const folder of ['etc/holdfast', 'var/lib', 'bin', 'home', 'opt/holdfast/bin']) {
      await mkdir(this.pathOf(folder), { recursive: true, mode: 0o755 });
    }
    await mkdir(this.pathOf('var/lib/holdfast'), { recursive: true, mode: 0o700 });
    await writeFile(this.pathOf('aws-ca.pem'), aws.caPem);
    await writeShims(this.pathOf('bin'), join(this.#run, 'shims'));
    const installed = this.pathOf(INSTALLED);
    await writeFile(installed, formatCommand(command, this.folder));
    await chmod(installed, 0o755);
    const kms = `kms.${region}.${dnsSuffixOf(region)}`;
    const settings = {
      address: this.address,
      status: `${this.address}:${STATUS_PORT}`,
      transport: { unix: nitro.socketDirectory },
      connectTo: [{ host: kms, port: 443, address: '127.0.0.1', to: aws.port }],
    };
    await writeFile(this.pathOf('etc/holdfast/host.yaml'), stringify(settings));
  }

  /** Environment of programs on the host: AWS is at its port, and credentials come from the metadata service. */
  #env(): Record<string, string> {
    const { aws, region } = this.#options;
    return {
      PATH: `${this.pathOf('bin')}:/usr/bin:/bin`,
      HOME: this.pathOf('home'),
      AWS_REGION: region,
      AWS_ENDPOINT_URL: `https://127.0.0.1:${aws.port}`,
      AWS_EC2_METADATA_SERVICE_ENDPOINT: this.#metadata?.endpoint ?? '',
      NODE_EXTRA_CA_CERTS: this.pathOf('aws-ca.pem'),
    };
  }
}

/** Formats the installed command: that of the working copy, with this folder as the root where one counts. */
function formatCommand(command: HoldfastCommand, root: string): string {
  const words = command.map((word) => `'${word}'`).join(' ');
  return [
    '#!/bin/sh',
    `case "$1 $2" in 'parent deploy' | 'parent snapshots') set -- "$@" --root '${root}' ;; esac`,
    `exec ${words} "$@"`,
    '',
  ].join('\n');
}

/** An address of this machine that no other host on it is likely to have. */
function randomLoopback(): string {
  return `127.${randomInt(1, 255)}.${randomInt(0, 256)}.${randomInt(2, 255)}`;
}
