import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { formatSection } from '../../../../local/testbed/aws-profiles.ts';
import type { AwsCredentials } from '../../../../local/aws/index.ts';

const COMMAND = resolve(import.meta.dirname, '../../../../cli/holdfast.js');
const PROFILE = 'holdfast';

/** What a verb has said with `--json`, its exit code, and what it showed on the way. */
export interface Said {
  readonly exit: number | null;
  readonly said: Readonly<Record<string, unknown>> & {
    readonly ok?: boolean;
    readonly error?: { readonly code: string; readonly details: Readonly<Record<string, unknown>> };
  };
  readonly stderr: string;
}

export interface PersonOptions {
  readonly folder: string;
  readonly yaml: Uint8Array;
  /** Folder that all share, by which they exchange statements. */
  readonly exchange: string;
  readonly endpoint: string;
  readonly caFile: string;
  readonly rootFile: string;
  readonly region: string;
  readonly credentials: () => AwsCredentials;
}

/** One person with a machine of their own: a folder, a profile of AWS with their credentials alone, and the command. */
export class Person {
  readonly folder: string;
  readonly #options: PersonOptions;
  readonly #running = new Set<ChildProcess>();
  /** Number of commands that the person has typed. */
  commands = 0;

  private constructor(options: PersonOptions) {
    this.folder = options.folder;
    this.#options = options;
  }

  static async sit(options: PersonOptions): Promise<Person> {
    const person = new Person(options);
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    await writeFile(join(options.folder, 'vault.yaml'), options.yaml);
    await person.signIn();
    return person;
  }

  /** Takes new credentials of AWS, as after a sign-in. */
  async signIn(credentials = this.#options.credentials()): Promise<void> {
    const { folder, region, endpoint } = this.#options;
    const { accessKeyId, secretAccessKey, sessionToken } = credentials;
    const secrets = {
      aws_access_key_id: accessKeyId,
      aws_secret_access_key: secretAccessKey,
      ...(sessionToken === undefined ? {} : { aws_session_token: sessionToken }),
    };
    await writeFile(join(folder, 'aws-credentials'), formatSection(PROFILE, secrets), { mode: 0o600 });
    await writeFile(
      join(folder, 'aws-config'),
      formatSection(`profile ${PROFILE}`, { region, endpoint_url: endpoint }),
    );
  }

  /** Runs a verb as a process of its own, and waits for its end. */
  async run(...args: readonly string[]): Promise<Said> {
    return await this.start(...args).ended;
  }

  /** Starts a verb as a process of its own. */
  start(...args: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Said> } {
    this.commands += 1;
    const { folder, caFile, exchange } = this.#options;
    const shared = ['apply', 'plan', 'status'].includes(args[1] ?? '') ? ['--exchange', exchange] : [];
    const child = spawn(process.execPath, [COMMAND, ...args, ...shared, '--json'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: process.env['PATH'],
        HOME: folder,
        AWS_CONFIG_FILE: join(folder, 'aws-config'),
        AWS_SHARED_CREDENTIALS_FILE: join(folder, 'aws-credentials'),
        AWS_PROFILE: PROFILE,
        AWS_EC2_METADATA_DISABLED: 'true',
        NODE_EXTRA_CA_CERTS: caFile,
        NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      },
    });
    this.#running.add(child);
    return { child, ended: this.#await(child) };
  }

  /** Ends whatever the person has still running. */
  leave(): void {
    for (const child of this.#running) child.kill('SIGKILL');
  }

  async #await(child: ChildProcess): Promise<Said> {
    const output = { stdout: '', stderr: '' };
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (output.stdout += chunk));
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (output.stderr += chunk));
    const [exit] = (await once(child, 'close')) as [number | null];
    this.#running.delete(child);
    const said = output.stdout === '' ? {} : (JSON.parse(output.stdout) as Said['said']);
    return { exit, said, stderr: output.stderr };
  }
}
