import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Exchange, ExchangeError, STEP_NAMES } from '../../admin/vault/exchange/index.ts';
import {
  describeRoles,
  digestVault,
  MAX_VAULT_BYTES,
  parseVault,
  type Role,
  type VaultDocument,
} from '../../admin/vault/index.ts';
import { findNewestDescription } from '../../admin/vault/steps/configuration/index.ts';
import { type CommandInput, readInput } from '../common/command.ts';
import { inFile } from '../common/in-file.ts';
import { openExchangeFolder } from './exchange-folder.ts';
import { forgetfulMemory, readSeenStatements } from './work-folder.ts';

/** Description that a new one takes over from, as it was left. */
export interface FormerVault {
  readonly document: VaultDocument;
  /** Release that its nodes ran last. */
  readonly release: string;
  /** Lines for a person: what was taken over, and what could not be. */
  readonly notes: readonly string[];
}

/**
 * Reads a former vault.yaml, with the rules and the release that the statements beside it have put in its place since.
 *
 * @throws UsageError; CliError INPUT_TOO_LARGE, VAULT_JOURNAL_DAMAGED; VaultError; StepError VAULT_RULES_OTHER_VAULT,
 * VAULT_CHANGE_DIFFERS; ExchangeError STATEMENT_… for what nobody may believe, or is older than what this machine has seen
 */
export async function readFormerVault(path: string, { io }: CommandInput): Promise<FormerVault> {
  const bytes = await readInput(path, io, MAX_VAULT_BYTES);
  const document = inFile(path, () => parseVault(bytes));
  const asItIs = (why: string): FormerVault => ({
    document,
    release: document.release.version,
    notes: [`clients, people and rules are those of ${path} itself: ${why}`],
  });
  const place = dirname(resolve(io.folder ?? process.cwd(), path));
  const folder = join(place, 'exchange');
  const vault = digestVault(bytes);
  const roles = describeRoles(document);
  const remembered = await readSeenStatements(
    roles.map(({ role }) => join(place, 'work', role)),
    vault,
  );
  const keys = new Map(roles.map((one) => [one.role, one.statementKey]));
  const exchange = new Exchange(openExchangeFolder(folder), remembered ?? forgetfulMemory(), { vault, keys });
  try {
    const newest = await findNewestDescription(document, exchange);
    if ((await stat(folder).catch(() => undefined))?.isDirectory() !== true)
      return asItIs(
        `there is no ${folder}, so that nobody knows whether they were changed; give the newest rules.yaml in its place if they were`,
      );
    const { change, by, past, release } = newest;
    return {
      document: newest.document,
      release,
      notes: [
        newest.document === document
          ? `clients, people and rules are those of ${path}: no other description was stated since`
          : `clients, people and rules are those of change ${change}, the newest that was stated, by the admins of ${by.map((node) => `node ${node}`).join(', ')}`,
        ...past.map(
          (node) =>
            `node ${node} had a configuration that its admin signed past every description: compare its clients, people and rules yourself`,
        ),
        ...(remembered === undefined
          ? [
              `this machine remembers no statement of that vault (${join(place, 'work')}), and cannot tell an older copy of ${folder}: compare with the admins which change was the last`,
            ]
          : []),
      ],
    };
  } catch (error) {
    if (!isOfOtherVault(error)) throw error;
    if (await hasStatements(exchange, [...keys.keys()])) throw error;
    return asItIs(`${folder} is about another file`);
  }
}

/**
 * Whether any statement in a folder is of this vault.
 *
 * @throws ExchangeError STATEMENT_… for one that is of no vault, or is gone
 */
async function hasStatements(exchange: Exchange, roles: readonly Role[]): Promise<boolean> {
  for (const role of roles) {
    for (const step of STEP_NAMES) {
      try {
        if ((await exchange.statement(role, step)) !== undefined) return true;
      } catch (error) {
        if (!isOfOtherVault(error)) throw error;
      }
    }
  }
  return false;
}

function isOfOtherVault(error: unknown): boolean {
  return error instanceof ExchangeError && error.code === 'STATEMENT_OTHER_VAULT';
}
