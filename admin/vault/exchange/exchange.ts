import type { KeyObject } from 'node:crypto';
import { MAX_ENVELOPE_BYTES } from '../../../shared/dsse/index.ts';

import type { Role } from '../roles.ts';
import { ExchangeError } from './errors.ts';
import type { Facts, StepName } from './facts.ts';
import {
  digestOf,
  MAX_STATEMENT_FILE_BYTES,
  openStatement,
  signStatement,
  type Statement,
  STATEMENT_FORMAT,
  type StatedFile,
} from './statement.ts';

/** Folder that travels by any untrusted way; paths are relative and have slashes. */
export interface ExchangeFolder {
  /** Reads a file whole; undefined where there is none. Throws for one above the maximum. */
  read(path: string, maxBytes: number): Promise<Uint8Array | undefined>;
  /** Writes a file that appears under its name only when it is complete and on the disk. */
  write(path: string, bytes: Uint8Array): Promise<void>;
}

/** Memory of the statements that were seen before, so that a folder that was rolled back is noticed. */
export interface SeenStatements {
  get(id: string): { readonly sequence: number; readonly sha384: string } | undefined;
  set(id: string, seen: { readonly sequence: number; readonly sha384: string }): Promise<void>;
}

/** Vault whose statements are exchanged. */
export interface ExchangeParties {
  /** SHA-384 of the bytes of vault.yaml, hex. */
  readonly vault: string;
  /** Statement key of each role, raw Ed25519 public key in hex. */
  readonly keys: ReadonlyMap<Role, string>;
}

/** What a step has to tell, before it is signed. */
export interface Told<Name extends StepName = StepName> {
  readonly facts: Facts<Name>;
  readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

/** By whom and when something is told. */
export interface PublishOptions {
  /** Ed25519. */
  readonly privateKey: KeyObject;
  /** RFC 3339 in UTC, whole seconds. */
  readonly time: string;
  /** Sequence of the statement that the step began with, 0 for none. */
  readonly base: number;
}

/** Exchange folder of one vault, read and written by one role, which believes nothing but signatures. */
export class Exchange {
  readonly #folder: ExchangeFolder;
  readonly #seen: SeenStatements;
  readonly #parties: ExchangeParties;

  constructor(folder: ExchangeFolder, seen: SeenStatements, parties: ExchangeParties) {
    this.#folder = folder;
    this.#seen = seen;
    this.#parties = parties;
  }

  /**
   * Reads the statement of a role about a step, and verifies it.
   *
   * @returns undefined where there is none yet
   * @throws ExchangeError STATEMENT_…
   */
  async statement<Name extends StepName>(role: Role, step: Name): Promise<Statement<Name> | undefined> {
    const id = `${role}/${step}`;
    const seen = this.#seen.get(id);
    const bytes = await this.#folder.read(`${id}.json`, MAX_ENVELOPE_BYTES);
    if (bytes === undefined) {
      if (seen === undefined) return undefined;
      throw new ExchangeError('STATEMENT_OLDER', 'a statement that was here before is gone', {
        step: id,
        expected: seen.sequence,
      });
    }
    const { vault } = this.#parties;
    const statement = openStatement(bytes, { vault, role, step, key: this.#keyOf(role) });
    const sha384 = digestOf(Buffer.from(JSON.stringify(statement)));
    if (seen !== undefined && !isNewerOrSame({ ...statement, sha384 }, seen)) {
      throw new ExchangeError('STATEMENT_OLDER', 'a newer statement about this step was here before', {
        step: id,
        expected: seen.sequence,
        actual: statement.sequence,
      });
    }
    if (seen?.sequence !== statement.sequence)
      await this.#seen.set(id, { sequence: statement.sequence, sha384 });
    return statement as Statement<Name>;
  }

  /**
   * Reads a file of a statement that was verified.
   *
   * @throws ExchangeError STATEMENT_FILE_MISSING, STATEMENT_FILE_CHANGED
   */
  async file({ role, step, files }: Statement, name: string): Promise<Uint8Array> {
    const where = { step: `${role}/${step}`, file: name };
    const stated = files.find((file) => file.name === name);
    const bytes = stated && (await this.#folder.read(pathOf(role, step, stated), MAX_STATEMENT_FILE_BYTES));
    if (stated === undefined || bytes === undefined) {
      throw new ExchangeError('STATEMENT_FILE_MISSING', 'a file of the statement is not there', where);
    }
    if (digestOf(bytes) === stated.sha384) return bytes;
    throw new ExchangeError('STATEMENT_FILE_CHANGED', 'a file is not the one that was signed for', {
      ...where,
      expected: stated.sha384,
      actual: digestOf(bytes),
    });
  }

  /**
   * Signs what a step has to tell and writes it, files first; nothing where the same was told before.
   *
   * @throws ExchangeError STATEMENT_OLDER when somebody else has published about the step meanwhile, STATEMENT_KEY_WRONG
   */
  async publish<Name extends StepName>(
    place: { readonly role: Role; readonly step: Name },
    told: Told<Name>,
    { privateKey, time, base }: PublishOptions,
  ): Promise<Statement<Name>> {
    const { role, step } = place;
    const former = await this.statement(role, step);
    const files = told.files.map(({ name, bytes }) => ({ name, sha384: digestOf(bytes) }));
    if ((former?.sequence ?? 0) !== base) {
      throw new ExchangeError(
        'STATEMENT_OLDER',
        'somebody else has made a statement about this step meanwhile',
        {
          step: `${role}/${step}`,
          expected: base,
          actual: former?.sequence ?? 0,
        },
      );
    }
    for (const [index, file] of files.entries()) {
      const { bytes } = told.files[index] ?? { bytes: new Uint8Array() };
      await this.#folder.write(pathOf(role, step, file), bytes);
    }
    if (former !== undefined && isSame(former, told.facts, files)) return former;
    const statement: Statement<Name> = {
      format: STATEMENT_FORMAT,
      vault: this.#parties.vault,
      role,
      step,
      sequence: base + 1,
      time,
      facts: told.facts,
      files,
    };
    await this.#folder.write(`${role}/${step}.json`, signStatement(statement, privateKey, this.#keyOf(role)));
    return (await this.statement(role, step)) ?? statement;
  }

  #keyOf(role: Role): string {
    const key = this.#parties.keys.get(role);
    if (key === undefined) throw new RangeError(`the vault has no role ${role}`);
    return key;
  }
}

/** Names a file by its digest too, so that a new one never stands in the place of one that was signed for. */
function pathOf(role: Role, step: StepName, { name, sha384 }: StatedFile): string {
  return `${role}/${step}/${sha384.slice(0, 16)}-${name}`;
}

function isNewerOrSame(
  found: { readonly sequence: number; readonly sha384: string },
  seen: { readonly sequence: number; readonly sha384: string },
): boolean {
  return found.sequence > seen.sequence || (found.sequence === seen.sequence && found.sha384 === seen.sha384);
}

function isSame(former: Statement, facts: Facts, files: readonly StatedFile[]): boolean {
  return JSON.stringify([former.facts, former.files]) === JSON.stringify([facts, files]);
}
