import {
  type Decided,
  describeNeeds,
  describeTransaction,
  searchDifferences,
  type Witness,
} from '../../policy/analysis/index.ts';
import { compareConfigurations, describeChanges } from '../../policy/index.ts';
import { encodeTransaction } from '../../policy/transactions/json.ts';
import type { AddressBook } from '../../shared/documents/configuration.ts';
import { type Command, type CommandInput, type Outcome, UsageError } from '../common/command.ts';
import { printable } from '../common/printable.ts';
import { readConfigurationFile, readMoment } from './file.ts';
import { AT } from './lint.ts';

export const diffCommand: Command = {
  name: 'config diff',
  summary:
    'Compare two configurations part by part, and search for a request that only the new one permits, and for one that only the old one does.',
  positionals: 'OLD NEW',
  options: {
    at: AT,
    requests: {
      type: 'string',
      value: 'COUNT',
      description: 'try at most so many requests (default: 50000)',
    },
  },
  examples: ['holdfast config diff in-force.json configuration.json'],
  run: runDiff,
};

async function runDiff({ positionals, text, io }: CommandInput): Promise<Outcome> {
  const [oldPath = '', newPath = ''] = positionals;
  const now = readMoment(text('at'), '--at');
  const maximum = readCount(text('requests'));
  const { configuration: before } = await readConfigurationFile(oldPath, io);
  const { configuration: after } = await readConfigurationFile(newPath, io);
  const changes = compareConfigurations(before, after);
  const { gained, lost, tried, isCut } = searchDifferences(before, after, now, maximum);
  const scope = `${tried} requests${isCut ? ', not all that there are to try' : ''}`;
  const nothing =
    changes.length === 0
      ? `no difference found among ${scope}, and the comparison says that nothing changes`
      : `no difference found among ${scope}: a search is no proof, read the comparison`;
  const lines = [
    describeChanges(changes, before.version),
    '',
    ...(gained === null
      ? []
      : ['ONLY THE NEW ONE permits, or with fewer approvals:', ...describe(gained, after.addressBooks)]),
    ...(lost === null
      ? []
      : ['only the old one permits, or with fewer approvals:', ...describe(lost, before.addressBooks)]),
    ...(gained === null && lost === null ? [nothing] : []),
    ...(gained === null && lost !== null ? [`nothing newly permitted found among ${scope}`] : []),
  ];
  return {
    ok: true,
    text: lines.map((line) => line.split('\n').map(printable).join('\n')).join('\n'),
    data: { changes, gained: gained && toData(gained), lost: lost && toData(lost), tried, isCut },
  };
}

/** @throws UsageError */
function readCount(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = /^[1-9][0-9]{0,7}$/.test(text) ? Number(text) : undefined;
  if (count === undefined) throw new UsageError('--requests is a number from 1 to 99999999');
  return count;
}

function describe({ candidate, before, after }: Witness, books: readonly AddressBook[]): string[] {
  const { operation, client, key, poolKey, algorithm, transaction, at, consent } = candidate;
  const what = [
    ...(poolKey === undefined ? [] : [`${poolKey.type} to ${poolKey.usage}`]),
    algorithm ?? operation,
  ];
  return [
    `  ${client} ${operation === 'sign' ? 'with' : `asks ${operation} of`} ${key}, ${what.join(', ')}, at ${new Date(at).toISOString()}`,
    ...(transaction === null ? [] : describeTransaction(transaction, books)).map((line) => `    ${line}`),
    ...(consent === null
      ? []
      : [`    approved under rule ${consent.rule} by ${consent.approvers.join(', ')}`]),
    `  old: ${describeDecided(before)}`,
    `  new: ${describeDecided(after)}`,
  ];
}

/** Describes a decision in a phrase. */
export function describeDecided({ outcome, rule, code, needs, reasons }: Decided): string {
  if (outcome === 'permitted') return `permitted by rule ${rule ?? ''}`;
  if (outcome === 'pending') return `waits under rule ${rule ?? ''} for ${describeNeeds(needs)}`;
  return [`denied: ${code ?? ''}`, ...reasons.slice(0, 1)].join(', ');
}

function toData({ candidate, before, after }: Witness) {
  const { transaction, at, ...rest } = candidate;
  return {
    request: {
      ...rest,
      at: new Date(at).toISOString(),
      transaction: transaction && encodeTransaction(transaction),
    },
    old: before,
    new: after,
  };
}
