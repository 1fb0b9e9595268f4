import { stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { Exchange, ExchangeError } from '../../admin/vault/exchange/index.ts';
import {
  describeRoles,
  digestVault,
  MAX_VAULT_BYTES,
  parseVault,
  type VaultDocument,
} from '../../admin/vault/index.ts';
import { findNewestDescription } from '../../admin/vault/steps/configuration/index.ts';
import { type CommandInput, readInput } from '../common/command.ts';
import { inFile } from '../common/in-file.ts';
import { openExchangeFolder } from './exchange-folder.ts';
import { forgetfulMemory } from './work-folder.ts';

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
 * @throws UsageError; CliError INPUT_TOO_LARGE; VaultError; ExchangeError STATEMENT_… for what nobody may believe
 */
export async function readFormerVault(path: string, { io }: CommandInput): Promise<FormerVault> {
  const bytes = await readInput(path, io, MAX_VAULT_BYTES);
  const document = inFile(path, () => parseVault(bytes));
  const asItIs = (why: string): FormerVault => ({
    document,
    release: document.release.version,
    notes: [`clients, people and rules are those of ${path} itself: ${why}`],
  });
  const folder = join(dirname(resolve(io.folder ?? process.cwd(), path)), 'exchange');
  if ((await stat(folder).catch(() => undefined))?.isDirectory() !== true)
    return asItIs(
      `there is no ${folder}, so that nobody knows whether they were changed; give the newest rules.yaml in its place if they were`,
    );
  const keys = new Map(describeRoles(document).map((one) => [one.role, one.statementKey]));
  const parties = { vault: digestVault(bytes), keys };
  const exchange = new Exchange(openExchangeFolder(folder), forgetfulMemory(), parties);
  try {
    const newest = await findNewestDescription(document, exchange);
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
      ],
    };
  } catch (error) {
    if (error instanceof ExchangeError && error.code === 'STATEMENT_OTHER_VAULT')
      return asItIs(`${folder} is about another file`);
    throw error;
  }
}
