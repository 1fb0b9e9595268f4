import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AwsCredentials } from '../../aws/index.ts';
import { formatSection } from '../aws-profiles.ts';
import type { HoldfastCommand } from '../holdfast-command.ts';

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

/** What a verb has said in words, as a person reads it. */
export interface Shown {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Who a person is: their machine, their credentials, and what everybody shares. */
export interface PersonOptions {
  /** Folder of their own, which is made. */
  readonly folder: string;
  readonly holdfast: HoldfastCommand;
  /** Bytes of vault.yaml. */
  readonly yaml: Uint8Array;
  /** Folder that all share, by which they exchange statements. */
  readonly exchange: string;
  /** URL of the local AWS. */
  readonly endpoint: string;
  /** Path of the certificate of its authority, PEM. */
  readonly caFile: string;
  readonly region: string;
  /** Makes new credentials of AWS, as a sign-in does. */
  readonly credentials: () => AwsCredentials;
}

/** One person with a machine of their own: a folder, a profile of AWS with their credentials alone, and the command. */
export class Person {
  readonly folder: string;
  readonly #options: PersonOptions;
  readonly #running = new Set<ChildProcess>();
  /** Ids of all credentials that the person has had. */
  readonly accessKeys: string[] = [];
  /** Number of commands that the person has typed. */
  commands = 0;

  private constructor(options: PersonOptions) {
    this.folder = options.folder;
    this.#options = options;
  }

  /** Seats a person: makes their folder with vault.yaml in it, and signs them in. */
  static async sit(options: PersonOptions): Promise<Person> {
    const person = new Person(options);
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    await writeFile(join(options.folder, 'vault.yaml'), options.yaml);
    await person.signIn();
    return person;
  }

  /** Seats somebody beside the person, with a folder of their own and the same role. */
  async companion(): Promise<Person> {
    return await Person.sit({ ...this.#options, folder: `${this.folder}-second` });
  }

  /** Takes new credentials of AWS, as after a sign-in. */
  async signIn(credentials = this.#options.credentials()): Promise<void> {
    const { folder, region, endpoint } = this.#options;
    const { accessKeyId, secretAccessKey, sessionToken } = credentials;
    this.accessKeys.push(accessKeyId);
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

  /** Runs a verb as a process of its own, and has it say everything in words. */
  async show(...args: readonly string[]): Promise<Shown> {
    return await this.#awaitEnd(this.#spawn(args), awaitOutput);
  }

  /** Starts a verb as a process of its own. */
  start(...args: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Said> } {
    const child = this.#spawn([...args, '--json']);
    return { child, ended: this.#awaitEnd(child, awaitProcess) };
  }

  /** Ends whatever the person has still running. */
  leave(): void {
    for (const child of this.#running) child.kill('SIGKILL');
  }

  #spawn(args: readonly string[]): ChildProcess {
    this.commands += 1;
    const { folder, caFile, exchange, holdfast } = this.#options;
    const shared = ['apply', 'configure', 'plan', 'status', 'upgrade', 'profiles'].includes(args[1] ?? '')
      ? ['--exchange', exchange]
      : [];
    const child = startProcess(holdfast, [...args, ...shared], {
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
        HOME: folder,
        AWS_CONFIG_FILE: join(folder, 'aws-config'),
        AWS_SHARED_CREDENTIALS_FILE: join(folder, 'aws-credentials'),
        AWS_PROFILE: PROFILE,
        AWS_EC2_METADATA_DISABLED: 'true',
        NODE_EXTRA_CA_CERTS: caFile,
      },
    });
    this.#running.add(child);
    return child;
  }

  async #awaitEnd<T>(child: ChildProcess, wait: (child: ChildProcess) => Promise<T>): Promise<T> {
    const result = await wait(child);
    this.#running.delete(child);
    return result;
  }
}

interface Surroundings {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Runs the command as a process of its own, in surroundings that say all that it knows. */
export async function runProcess(
  holdfast: HoldfastCommand,
  args: readonly string[],
  surroundings: Surroundings,
): Promise<Said> {
  return await awaitProcess(startProcess(holdfast, args, surroundings));
}

function startProcess(
  [program, ...before]: HoldfastCommand,
  args: readonly string[],
  { cwd, env }: Surroundings,
): ChildProcess {
  return spawn(program, [...before, ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...env, NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] },
  });
}

async function awaitProcess(child: ChildProcess): Promise<Said> {
  const { exit, stdout, stderr } = await awaitOutput(child);
  return { exit, said: stdout === '' ? {} : (JSON.parse(stdout) as Said['said']), stderr };
}

async function awaitOutput(child: ChildProcess): Promise<Shown> {
  const output = { stdout: '', stderr: '' };
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (output.stdout += chunk));
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (output.stderr += chunk));
  const [exit] = (await once(child, 'close')) as [number | null];
  return { exit, ...output };
}
