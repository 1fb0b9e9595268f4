import { resolve } from 'node:path';
import type { Proposal } from '../../../admin/vault/steps/configuration/index.ts';
import {
  assertSound,
  digestVault,
  locateVault,
  MAX_VAULT_BYTES,
  type Role,
} from '../../../admin/vault/index.ts';
import { type CommandInput, type OptionSpec, readInput, UsageError } from '../../common/command.ts';
import { inFile } from '../../common/in-file.ts';

/** Options by which a node's admin says what the node is to run. */
export const PROPOSAL_OPTIONS = {
  rules: {
    type: 'string',
    value: 'FILE',
    description:
      'node: a copy of vault.yaml with other clients, people, keys or rules; all admins take the same file',
  },
  configuration: {
    type: 'string',
    value: 'FILE',
    description: 'node: in place of --rules, a configuration of your node, to be signed, or signed elsewhere',
  },
  anew: {
    type: 'boolean',
    description: 'node: begin another change, though others have stated one that you have not taken part in',
  },
  'without-key': {
    type: 'string',
    value: 'KEYID',
    multiple: true,
    description: 'node: a key that the configuration may leave out or drop, after which nobody can use it',
  },
} as const satisfies Readonly<Record<string, OptionSpec>>;

/**
 * Reads what a node's admin wants the node to run; undefined where nothing is to be changed.
 *
 * @throws UsageError; CliError INPUT_TOO_LARGE; VaultError VAULT_MALFORMED, VAULT_UNSOUND
 */
export async function readProposal(input: CommandInput, role: Role): Promise<Proposal | undefined> {
  const { text, flag, io } = input;
  const [rules, configuration] = [text('rules'), text('configuration')];
  const isGiven = rules !== undefined || configuration !== undefined;
  if (role === 'infrastructure') {
    if (isGiven || flag('anew') || input.texts('without-key').length > 0)
      throw new UsageError('--rules, --configuration, --anew and --without-key are for the admins of nodes');
    return undefined;
  }
  if (rules !== undefined && configuration !== undefined)
    throw new UsageError('--rules and --configuration exclude each other');
  const pathOf = (given: string) => resolve(io.folder ?? process.cwd(), given);
  if (rules !== undefined) {
    const path = pathOf(rules);
    const bytes = await readInput(path, io, MAX_VAULT_BYTES);
    const description = inFile(path, () => {
      const { document } = locateVault(bytes);
      assertSound(document, Date.now());
      return document;
    });
    return { kind: 'rules', description, bytes, digest: digestVault(bytes), isAnew: flag('anew') };
  }
  if (configuration === undefined)
    throw new UsageError('--rules is required: a copy of vault.yaml with what is to change');
  return { kind: 'configuration', bytes: await readInput(pathOf(configuration), io) };
}
