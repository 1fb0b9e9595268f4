import { type DecisionPredicate, PREDICATE_TYPES } from '../../audit/receipt/index.ts';
import { createReplay, type Decided } from '../../policy/analysis/index.ts';
import {
  type BackupCoverage,
  isPlainOperation,
  makeRequest,
  type PolicyRequest,
} from '../../policy/index.ts';
import { decodeTransaction } from '../../policy/transactions/json.ts';
import { TRUST_OPTIONS } from '../audit/trust.ts';
import type { Command, CommandInput, OptionSpec, Outcome } from '../common/command.ts';
import { printable } from '../common/printable.ts';
import { createProgress } from '../common/progress.ts';
import { describeDecided } from './diff.ts';
import { readConfigurationFile } from './file.ts';
import { readLogged } from './logged.ts';

/** Decisions that change and are shown one by one; all of them are counted. */
const MAX_SHOWN = 20;
/** Kinds of changes that are counted apart: two rules each, of thousands. */
const MAX_KINDS = 1000;

const optional = (options: Readonly<Record<string, OptionSpec>>) =>
  Object.fromEntries(Object.entries(options).map(([name, option]) => [name, { ...option, required: false }]));

export const replayCommand: Command = {
  name: 'config replay',
  summary:
    "Decide the requests of a node's log by another configuration, as if it had been in force all along, and count the decisions that change.",
  positionals: 'LOG',
  options: {
    configuration: {
      type: 'string',
      value: 'FILE',
      required: true,
      description: 'the configuration to decide by',
    },
    ...optional(TRUST_OPTIONS),
  },
  examples: [
    'holdfast config replay entries.jsonl --configuration configuration.json',
    'holdfast config replay https://log.example/node1 --configuration configuration.json --origin … --key …',
  ],
  run: runReplay,
};

interface Change {
  readonly sequence: number;
  readonly time: string;
  readonly client: string;
  readonly key: string;
  readonly logged: string;
  readonly now: string;
}

async function runReplay(input: CommandInput): Promise<Outcome> {
  const { positionals, text, io } = input;
  const [location = ''] = positionals;
  const { configuration } = await readConfigurationFile(text('configuration') ?? '', io);
  const replay = createReplay(configuration);
  const progress = createProgress(io, 'replaying');
  const kinds = new Map<string, number>();
  const shown: Change[] = [];
  const counts = { decisions: 0, unread: 0, changed: 0 };
  try {
    for await (const { entry, done, total } of readLogged(location, input)) {
      progress.update(done, total);
      if (entry.predicateType !== PREDICATE_TYPES.decision) continue;
      const { predicate } = entry;
      counts.decisions += 1;
      const request = toRequest(predicate);
      if (request === undefined) {
        counts.unread += 1;
        continue;
      }
      const decided = replay.decide(request, Date.parse(predicate.time));
      if (isSame(predicate, decided)) continue;
      counts.changed += 1;
      const kind = `${nameOf(predicate)} -> ${nameOf(decided)}`;
      if (kinds.has(kind) || kinds.size < MAX_KINDS) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      if (shown.length < MAX_SHOWN) shown.push(describeChange(predicate, decided));
    }
  } finally {
    progress.finish();
  }
  const lines = [
    `${counts.decisions} decisions, ${counts.changed} would be others, ${counts.unread} were denied before any rule was asked`,
    ...[...kinds].map(([kind, count]) => `  ${count} × ${kind}`),
    ...shown.map(({ sequence, time, client, key, now }) => `${sequence} ${time} ${client} ${key}: ${now}`),
  ];
  return {
    ok: true,
    text: lines.map(printable).join('\n'),
    data: { ...counts, kinds: Object.fromEntries(kinds), shown },
  };
}

/** What a denial says of the backup of a key; entries say nothing else of it. */
const LOGGED_COVERAGE: Readonly<Record<string, BackupCoverage>> = {
  BACKUP_MISSING: 'missing',
  BACKUP_OUTDATED: 'outdated',
};

/** Makes the request that an entry records; undefined where it was denied before there was anything to decide on. */
function toRequest({
  request,
  transaction,
  rule,
  approvals,
  time,
  code,
}: DecisionPredicate): PolicyRequest | undefined {
  const { client, key, poolKey, algorithm, operation, payload } = request;
  if (algorithm === null && !isPlainOperation(operation)) return undefined;
  if (operation === 'sign' && (payload === null || transaction === null)) return undefined;
  const at = Date.parse(time);
  const votes = approvals.map(({ approver, decision }) => ({ approver, decision, at }));
  const consent = rule === null || votes.length === 0 ? undefined : { rule, approvals: votes };
  return makeRequest({
    operation,
    client,
    key,
    poolKey: poolKey && { type: poolKey.type, usage: poolKey.usage },
    algorithm,
    backup: LOGGED_COVERAGE[code ?? ''] ?? 'kept',
    consent,
    payload: payload ?? undefined,
    transaction: transaction === null ? undefined : decodeTransaction(transaction),
  });
}

/** Tells whether a decision is the one of the log; the reasons of denials may differ. */
function isSame(logged: DecisionPredicate, decided: Decided): boolean {
  if (logged.outcome !== decided.outcome) return false;
  return logged.outcome === 'denied' || logged.rule === decided.rule;
}

const nameOf = ({ outcome, rule, code }: Pick<Decided, 'outcome' | 'rule' | 'code'>) =>
  `${outcome} ${(outcome === 'denied' ? code : rule) ?? ''}`.trimEnd();

function describeChange(logged: DecisionPredicate, decided: Decided): Change {
  const { sequence, time, request } = logged;
  return {
    sequence,
    time,
    client: request.client,
    key: request.key,
    logged: nameOf(logged),
    now: describeDecided(decided),
  };
}
