import { chmod, copyFile, cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MAX_COMMANDS, type Procedure, type SheetStep } from '../../../../admin/vault/index.ts';
import type { Person, Said, VaultTestbed } from '../../../../local/testbed/vault/index.ts';
import { runProcess } from '../../../../local/testbed/vault/person.ts';
import { HOLDFAST } from '../../../support/holdfast-command.ts';

/** What a person types otherwise than their sheet has it: words that they alone know, and paths of their own. */
export type Otherwise = (command: string) => string;
const asPrinted: Otherwise = (command) => command;

/**
 * One person with a machine of their own, who types what a run sheet prints: a folder, an environment with their own
 * credentials alone, and the command.
 */
export class Seat {
  readonly name: string;
  readonly folder: string;
  readonly #env: Readonly<Record<string, string | undefined>>;
  /** Files with the words of custodians who came: nobody types at a terminal here. */
  shares: readonly string[] = [];
  #steps: readonly SheetStep[] = [];
  #typed = 0;

  private constructor(name: string, folder: string, env: Readonly<Record<string, string | undefined>>) {
    this.name = name;
    this.folder = folder;
    this.#env = env;
  }

  /** Seats an admin of an account, at the desk and with the credentials of a person of the testbed. */
  static async ofPerson(testbed: VaultTestbed, name: string, { folder }: Person): Promise<Seat> {
    return await Seat.#take(testbed, name, folder, {
      AWS_CONFIG_FILE: join(folder, 'aws-config'),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, 'aws-credentials'),
      AWS_PROFILE: 'holdfast',
      AWS_EC2_METADATA_DISABLED: 'true',
      NODE_EXTRA_CA_CERTS: join(dirname(testbed.rootFile), 'aws-ca.pem'),
    });
  }

  /** Seats somebody who has no account. */
  static async withoutAccount(testbed: VaultTestbed, name: string): Promise<Seat> {
    return await Seat.#take(testbed, name, join(dirname(testbed.exchange), `desk-${name}`), {});
  }

  static async #take(
    testbed: VaultTestbed,
    name: string,
    folder: string,
    env: Readonly<Record<string, string>>,
  ): Promise<Seat> {
    await mkdir(join(folder, 'keys'), { recursive: true, mode: 0o700 });
    await symlink(testbed.exchange, join(folder, 'exchange'));
    return new Seat(name, folder, {
      PATH: process.env['PATH'],
      HOME: folder,
      // A laptop's own root stands for that of AWS.
      HOLDFAST_ROOT: testbed.rootFile,
      ...env,
    });
  }

  /**
   * Lays the sheet of a procedure before the person.
   * @param typed commands of it that were typed already
   */
  lay(procedure: Procedure | undefined, typed = 0): void {
    if (procedure === undefined) throw new RangeError(`${this.name} has no such sheet`);
    this.#steps = procedure.steps;
    this.#typed = typed;
  }

  /** Commands of the sheet that the person has not typed yet. */
  get left(): number {
    return this.#steps.length - this.#typed;
  }

  /** Types the next command of the sheet. */
  async next(otherwise: Otherwise = asPrinted): Promise<Said> {
    const step = this.#steps[this.#typed];
    if (step === undefined) throw new RangeError(`the sheet of ${this.name} has no more commands`);
    this.#typed += 1;
    if (this.#typed > MAX_COMMANDS) throw new Error(`${this.name} has typed ${this.#typed} commands`);
    return await this.type(otherwise(step.command));
  }

  /** Types the next command of the sheet, which has to do what it should. */
  async succeeds(otherwise?: Otherwise): Promise<Said> {
    const said = await this.next(otherwise);
    if (said.exit !== 0)
      throw new Error(`${this.name}, command ${this.#typed}: ${JSON.stringify(said.said)}\n${said.stderr}`);
    return said;
  }

  /** Types everything that is left of the sheet. */
  async finishes(otherwise?: Otherwise): Promise<Said> {
    let last = await this.succeeds(otherwise);
    while (this.left > 0) last = await this.succeeds(otherwise);
    return last;
  }

  /** Types one command, as a sheet prints it. */
  async type(command: string): Promise<Said> {
    const [program, ...words] = command
      .replace(/--ask ([1-9])/, (_, count) =>
        this.shares
          .slice(0, Number(count))
          .map((path) => `--share ${path}`)
          .join(' '),
      )
      .split(' ');
    if (program !== 'holdfast') throw new Error(`expected a call of holdfast: ${command}`);
    const asks = words.includes('apply');
    return await runProcess(HOLDFAST, [...words, ...(asks ? ['--yes'] : []), '--json'], {
      cwd: this.folder,
      env: this.#env,
    });
  }

  /** Path of a file of this person's. */
  at(path: string): string {
    return join(this.folder, path);
  }

  /** Hands a file or a folder to somebody else, under the same name or another. */
  async gives(other: Seat, path: string, as = path): Promise<void> {
    await cp(this.at(path), other.at(as), { recursive: true });
  }

  /** Has a private key in the place that the sheets name. */
  async hasKey(name: string, source: string): Promise<void> {
    await copyFile(source, this.at(`keys/${name}.pem`));
    await chmod(this.at(`keys/${name}.pem`), 0o600);
  }

  async removes(path: string): Promise<void> {
    await rm(this.at(path));
  }

  async reads(path: string): Promise<string> {
    return await readFile(this.at(path), 'utf8');
  }

  async writes(path: string, content: string | Uint8Array): Promise<void> {
    await writeFile(this.at(path), content, { mode: 0o600 });
  }
}
