import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EmulatedNsm, type EnclaveChain, extendOnce, NitroRoot } from '../nsm/index.ts';
import { measureProgram } from './measure.ts';
import { serveNsm } from './nsm-socket.ts';
import { programEntry } from './program.ts';

const FIRST_CID = 16;

export interface NitroHostOptions {
  /** Folder that keeps the NSM's root between runs. */
  readonly stateDirectory: string;
  /** Folder of the Unix sockets that stand for vsock. */
  readonly socketDirectory: string;
  /** PEM of the authorities that may speak for KMS in the enclaves of this host. */
  readonly kmsRoots: readonly string[];
}

export interface LaunchOptions {
  /** Folder whose code is measured and run: see copyProgram. */
  readonly program: string;
  /** Debug mode: PCR0, PCR1 and PCR2 are zero. */
  readonly debug?: boolean;
  /** PCR0, PCR1 and PCR2 (and PCR8) of the image that the program came in; those of the program itself when left out. */
  readonly pcrs?: ReadonlyMap<number, Uint8Array>;
  /** Context id of the enclave; a new one when left out. */
  readonly cid?: number;
  /** Called with the enclave's console, line by line. */
  readonly onConsole?: (line: string) => void;
  /** Arguments for Node itself, such as `--cpu-prof`. */
  readonly nodeOptions?: readonly string[];
}

/** Enclave that runs: a process of its own that reaches nothing but its NSM and the parent. */
export interface LocalEnclave {
  readonly cid: number;
  readonly pid: number;
  /** PCR0, PCR1 and PCR2 as measured at the start, 48 bytes each. */
  readonly pcrs: ReadonlyMap<number, Uint8Array>;
  /** Settles when the process has ended. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Ends the enclave at once, as `nitro-cli terminate-enclave` does. */
  terminate(): Promise<void>;
}

/** Nitro host in software: measures a program, gives it an NSM, and runs it as a process. */
export class NitroHost {
  readonly #options: NitroHostOptions;
  readonly #root: NitroRoot;
  readonly #instanceId = `i-${randomBytes(9).toString('hex').slice(1)}`;
  #nextCid = FIRST_CID;

  private constructor(options: NitroHostOptions, root: NitroRoot) {
    this.#options = options;
    this.#root = root;
  }

  static async open(options: NitroHostOptions): Promise<NitroHost> {
    await mkdir(options.stateDirectory, { recursive: true, mode: 0o700 });
    await mkdir(options.socketDirectory, { recursive: true, mode: 0o700 });
    return new NitroHost(options, await loadRoot(options.stateDirectory));
  }

  /** Folder of the Unix sockets that stand for this host's vsock. */
  get socketDirectory(): string {
    return this.#options.socketDirectory;
  }

  /** Root certificate in DER that this host's NSMs sign under. */
  get rootCertificate(): Uint8Array {
    return this.#root.certificate;
  }

  /** Issues certificates and a key to an NSM outside this host, which signs under the same root then. */
  async issueChain(moduleId: string): Promise<EnclaveChain> {
    return await this.#root.issueChain(this.#instanceId, moduleId, Date.now());
  }

  /** Takes a context id that no enclave of this host has had. */
  takeCid(): number {
    return this.#nextCid++;
  }

  /** Measures a program as {@link launch} would. */
  measure(program: string): Promise<ReadonlyMap<number, Uint8Array>> {
    return measureProgram(program);
  }

  async launch({ program, debug = false, onConsole, ...options }: LaunchOptions): Promise<LocalEnclave> {
    const cid = options.cid ?? this.takeCid();
    const pcrs = debug ? zeroPcrs() : (options.pcrs ?? (await measureProgram(program)));
    const device = new EmulatedNsm({
      root: this.#root,
      instanceId: this.#instanceId,
      moduleId: `${this.#instanceId}-enc${randomBytes(8).toString('hex')}`,
      measured: new Map([...pcrs, [4, extendOnce(Buffer.from(this.#instanceId))]]),
      clock: Date.now,
    });
    const nsmPath = join(this.#options.socketDirectory, `nsm.${cid}.sock`);
    await rm(nsmPath, { force: true });
    const server = await serveNsm(device, nsmPath);
    await chmod(nsmPath, 0o600);
    const child = spawn(
      process.execPath,
      [...(options.nodeOptions ?? []), programEntry(program)],
      // An enclave has no environment but the place of code that was compiled before, which enclave-main.ts drops; its
      // stand-ins come over a pipe, and its console is all that comes out. The last pipe carries nothing: when it ends,
      // the host is gone, and an enclave does not outlive its host.
      { env: compileCache(program), cwd: '/', stdio: ['pipe', 'pipe', 'pipe', 'pipe'] },
    );
    const { kmsRoots, socketDirectory } = this.#options;
    const nitroRoot = Buffer.from(this.#root.certificate).toString('base64');
    child.stdin?.end(JSON.stringify({ cid, nsmPath, socketDirectory, kmsRoots, nitroRoot }));
    if (onConsole !== undefined) forwardConsole(child, onConsole);
    const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((settle, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        server.close();
        device.close();
        settle({ code, signal });
      });
    });
    return {
      cid,
      pid: child.pid ?? 0,
      pcrs,
      exited,
      terminate: async () => {
        child.kill('SIGKILL');
        await exited;
      },
    };
  }
}

/**
 * Names the compile cache of enclaves, beside the packages that every copy of the program has by a link. Node believes
 * compiled code only for a source of the same bytes; in its portable form at the same place beside the cache.
 */
function compileCache(program: string): NodeJS.ProcessEnv {
  return {
    NODE_COMPILE_CACHE: join(program, 'node_modules/.cache/holdfast-enclave'),
    NODE_COMPILE_CACHE_PORTABLE: '1',
  };
}

function forwardConsole(child: ChildProcess, onConsole: (line: string) => void): void {
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onConsole(line);
    });
  }
}

function zeroPcrs(): ReadonlyMap<number, Uint8Array> {
  return new Map([0, 1, 2].map((index) => [index, new Uint8Array(48)]));
}

/**
 * Loads the root, or makes it. The root outlives the process: documents verified against it before must verify again.
 */
async function loadRoot(directory: string): Promise<NitroRoot> {
  const path = join(directory, 'nitro-root.json');
  const known = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (known !== undefined)
    return NitroRoot.fromPem(JSON.parse(known) as { certificate: string; privateKey: string });
  const root = await NitroRoot.create(Date.now());
  const fresh = `${path}.new`;
  await writeFile(fresh, JSON.stringify(root.toPem()), { mode: 0o600 });
  await rename(fresh, path);
  return root;
}
