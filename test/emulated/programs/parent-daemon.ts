import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { ParentFiles } from '../../../local/testbed/index.ts';
import { report } from './report.ts';

const CONFIGURATION = '/tmp/parent.yaml';
const START_TIMEOUT_MS = 60_000;

/** URL at which clients reach the node. */
export const NODE_URL = 'https://127.0.0.1:8443';

export interface DaemonOptions {
  readonly testNode: ParentFiles;
  /** Port of the stand-in for AWS. */
  readonly awsPort: number;
  readonly cid: number;
  /** Paths of files in the place of the test node's own. */
  readonly manifest?: string;
  readonly configuration?: string;
  /** Way to the parents of other nodes: `peers` of parent.yaml. */
  readonly peers?: object;
}

/** Process of `holdfast parent run`, with its log. */
export class ParentDaemon {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #started = Promise.withResolvers<void>();
  #phase: string | undefined;
  #code: string | undefined;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = once(child, 'exit').then(() => this.#started.reject(new Error('the parent ended')));
    this.#started.promise.catch(() => {});
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#take(line));
    }
  }

  /**
   * Runs `holdfast parent check`, and throws when it finds something. The check also leaves compiled code behind,
   * without which the emulated machine takes much longer to start the parent than an enclave waits for one.
   */
  static async check(options: DaemonOptions): Promise<void> {
    const child = spawnHoldfast('check', options);
    const [exitCode] = (await once(child, 'exit')) as [number | null];
    if (exitCode !== 0) throw new Error(`parent check: ${String(exitCode)}`);
  }

  /** Starts the daemon, and waits until it listens. */
  static async start(options: DaemonOptions): Promise<ParentDaemon> {
    const daemon = new ParentDaemon(spawnHoldfast('run', options));
    const timer = setTimeout(
      () => daemon.#started.reject(new Error('the parent does not start')),
      START_TIMEOUT_MS,
    );
    await daemon.#started.promise.finally(() => clearTimeout(timer));
    return daemon;
  }

  #take(line: string): void {
    if (!line.startsWith('{')) {
      report('parent', { line });
      return;
    }
    const { event, time: _, ...fields } = JSON.parse(line) as Record<string, unknown>;
    report('parent', { event, ...fields });
    if (event === 'parent.started') this.#started.resolve();
    if (event === 'node.status') {
      this.#phase = String(fields['phase']);
      this.#code = typeof fields['code'] === 'string' ? fields['code'] : undefined;
    }
    // The program's own report, where there is one, came before.
    if (event === 'node.exit' && this.#phase !== 'failed') {
      this.#phase = 'failed';
      this.#code = String(fields['reason']);
    }
  }

  /** Outcome: `serving`, or the code that the node failed with; undefined while it is neither. */
  get outcome(): string | undefined {
    if (this.#phase === 'serving') return 'serving';
    return this.#phase === 'failed' ? (this.#code ?? 'NO_CODE') : undefined;
  }

  /** Ends the daemon and returns its exit code: null when it was killed. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<number | null> {
    this.#child.kill(signal);
    await this.#exited;
    return this.#child.exitCode;
  }
}

function spawnHoldfast(verb: 'check' | 'run', options: DaemonOptions): ChildProcess {
  writeFileSync(CONFIGURATION, JSON.stringify(configurationOf(options)));
  const { accessKeyId, secretAccessKey, sessionToken, expiration } =
    options.testNode.infrastructure.parentCredentials();
  return spawn(process.execPath, ['/app/holdfast.mjs', 'parent', verb, '--config', CONFIGURATION], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_SESSION_TOKEN: sessionToken ?? '',
      AWS_CREDENTIAL_EXPIRATION: expiration?.toISOString() ?? '',
      NODE_COMPILE_CACHE: '/tmp/compiled',
    },
  });
}

/** Content of parent.yaml as an operator writes it: files, and one way out. */
function configurationOf({ testNode, awsPort, cid, manifest, configuration, peers }: DaemonOptions): object {
  const { region } = testNode.manifest.kms;
  return {
    enclave: { cid },
    region,
    artifacts: {
      manifest: manifest ?? testNode.manifestPath,
      configuration: configuration ?? testNode.configurationPath,
      secrets: testNode.secretsDirectory,
    },
    store: { sqlite: testNode.storePath },
    egress: {
      allowlist: [
        {
          host: `kms.${region}.amazonaws.com`,
          port: 443,
          connectTo: { address: '127.0.0.1', port: awsPort },
        },
      ],
    },
    ingress: { listen: NODE_URL.slice('https://'.length) },
    status: { listen: '127.0.0.1:9464' },
    ...(peers === undefined ? {} : { peers }),
  };
}
