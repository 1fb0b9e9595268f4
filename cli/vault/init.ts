import { createInterface } from 'node:readline/promises';
import {
  collectJoins,
  type LostKey,
  MAX_JOIN_BYTES,
  parseJoin,
  renderVaultFile,
  type Role,
  roleOfNode,
  type VaultAnswers,
  VaultError,
} from '../../admin/vault/index.ts';
import { shareTypeSchema } from '../../shared/algorithms.ts';
import { MAX_NODES } from '../../shared/documents/configuration/quorum.ts';
import {
  type Command,
  type CommandInput,
  type Io,
  type Outcome,
  readInput,
  UsageError,
} from '../common/command.ts';
import { CliError } from '../common/errors.ts';
import { inFile } from '../common/in-file.ts';
import { writeOutput } from '../common/output-file.ts';
import { type FormerVault, readFormerVault } from './former-vault.ts';
import { VAULT_OPTION, vaultPath } from './options.ts';

/** What an answer has to look like: for the machine, and for the person who gave another one. */
interface Form {
  readonly pattern: RegExp;
  readonly words: string;
}

const LABEL: Form = {
  pattern: /^[a-z][a-z0-9-]{0,62}$/,
  words: 'lower-case letters, digits and hyphens, a letter first, such as acme',
};
const REGION: Form = {
  pattern: /^[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2}$/,
  words: 'a Region such as eu-central-1',
};
const VERSION: Form = {
  pattern: /^[0-9]{1,9}\.[0-9]{1,9}\.[0-9]{1,9}(?:-[0-9A-Za-z.-]{1,32})?$/,
  words: 'a full version such as 1.4.0',
};
const SOURCE: Form = {
  pattern: /^(?:s3:\/\/|oci:\/\/|\.{0,2}\/)[\w./:-]{1,500}$/,
  words: 's3://bucket/prefix, oci://registry/repository or a folder such as ./release',
};
const COUNT: Form = { pattern: /^[1-9][0-9]?$/, words: `a number from 1 to ${MAX_NODES}` };

export const initCommand: Command = {
  name: 'vault init',
  summary:
    'Write a commented vault.yaml: accounts, people, nodes and what they will allow. Never overwrites one; what nobody has said yet stays open, and "vault check" lists it.',
  positionals: '',
  options: {
    ...VAULT_OPTION,
    namespace: {
      type: 'string',
      value: 'NAME',
      description: 'whose vault it is, such as acme (asked for at a terminal)',
    },
    environment: { type: 'string', value: 'NAME', description: 'which one of theirs (default: production)' },
    region: {
      type: 'string',
      value: 'REGION',
      description: 'Region of the hosts, such as eu-central-1 (asked for at a terminal)',
    },
    nodes: { type: 'string', value: 'COUNT', description: 'how many policy nodes (default: 3)' },
    threshold: {
      type: 'string',
      value: 'COUNT',
      description: 'how many of them sign together (default: more than half)',
    },
    release: { type: 'string', value: 'VERSION', description: 'the release that nodes run (default: 1.0.0)' },
    from: {
      type: 'string',
      value: 'PLACE',
      description:
        'where releases are: s3://bucket/prefix, oci://registry/repository, ./folder (default: ./release)',
    },
    join: {
      type: 'string',
      value: 'FILE',
      multiple: true,
      description: 'what a role has written with "vault join": account, people and public keys',
    },
    recover: {
      type: 'string',
      value: 'KEY:TYPE:HEX',
      multiple: true,
      description:
        'a shared key of a lost vault, to be imported from backups: its id, type and public key, as "ers verify" prints them',
    },
    like: {
      type: 'string',
      value: 'FILE',
      description:
        'take network, hosts, domain, clients, people, rules and parts over from this vault.yaml, with the newest rules that are stated in exchange/ beside it',
    },
  },
  examples: [
    'holdfast vault init --namespace acme --region eu-central-1',
    `holdfast vault init --namespace acme --environment production-2 --region eu-central-1 --recover treasury:frost-ed25519:${'5e'.repeat(32)}`,
    `holdfast vault init --vault new/vault.yaml --like vault.yaml --namespace acme --environment production-2 --region eu-central-1 --join new/infrastructure.join.json --join new/node-1.join.json --join new/node-2.join.json --join new/node-3.join.json --recover treasury:frost-ed25519:${'5e'.repeat(32)}`,
    'holdfast vault init --namespace acme --region eu-central-1 --join infrastructure.join.json --join node-1.join.json --join node-2.join.json --join node-3.join.json',
  ],
  run: runInit,
};

async function runInit(input: CommandInput): Promise<Outcome> {
  const path = vaultPath(input);
  const like = input.text('like');
  const former = like === undefined ? undefined : await readFormerVault(like, input);
  const answers = await readAnswers(input, former);
  const content = renderVaultFile(answers);
  const isNew = await writeOutput(path, content, { keep: true });
  if (!isNew && !Buffer.from(await readInput(path, input.io)).equals(Buffer.from(content))) {
    throw new VaultError('VAULT_EXISTS', 'a vault.yaml is there, and nothing of it was changed', { path });
  }
  const missing = listMissing(answers);
  return {
    ok: true,
    text: [
      isNew ? `${path}: written` : `${path}: is there already, and the same; nothing was changed`,
      ...(former?.notes ?? []),
      ...describeMissing(path, missing),
      `  next: write what is open into it, and see by holdfast vault check --vault ${path} what is left; "holdfast vault fetch" with --role and --sheets begins with the same check, and writes your run sheet`,
    ].join('\n'),
    data: { path, changed: isNew, missing },
  };
}

/** Roles that have told nothing of themselves yet. */
function listMissing({ infrastructure, nodes }: VaultAnswers): readonly Role[] {
  return [
    ...(infrastructure.account === undefined ? (['infrastructure'] as const) : []),
    ...nodes.flatMap(({ account }, index) => (account === undefined ? [roleOfNode(index + 1)] : [])),
  ];
}

function describeMissing(path: string, missing: readonly Role[]): readonly string[] {
  if (missing.length === 0) return [];
  const joins = missing.map((role) => `--join ${role}.join.json`).join(' ');
  return [
    `NOT TOLD YET: ${missing.join(', ')}; theirs are values of zeros`,
    `  each of them types "holdfast vault join --role ROLE ..." and sends you ROLE.join.json; then write what is in it into ${path}, or move ${path} away and run this again with ${joins}`,
  ];
}

async function readAnswers(input: CommandInput, former?: FormerVault): Promise<VaultAnswers> {
  const { texts, io } = input;
  const joins = [];
  for (const path of texts('join')) {
    const bytes = await readInput(path, io, MAX_JOIN_BYTES);
    joins.push(inFile(path, () => parseJoin(bytes)));
  }
  const { infrastructure, nodes } = collectJoins(joins);
  const ask = createQuestions(input);
  const like = former?.document;
  const namespace = await ask('namespace', 'Whose vault is it, such as acme?', LABEL);
  const environment = await ask('environment', 'Which one of theirs?', LABEL, 'production');
  const region = await ask('region', 'In which Region are the hosts?', REGION, infrastructure.region);
  const size = readCount(
    'nodes',
    await ask(
      'nodes',
      'How many policy nodes?',
      COUNT,
      String(Math.max(like?.nodes.length ?? 3, ...nodes.keys())),
    ),
  );
  if (size > MAX_NODES || Math.max(0, ...nodes.keys()) > size)
    throw new UsageError(`--nodes is a number up to ${MAX_NODES}, and no --join is of a node above it`);
  const threshold = readCount(
    'threshold',
    await ask(
      'threshold',
      'How many of them sign together?',
      COUNT,
      String(like?.nodes.length === size ? like.threshold : Math.floor(size / 2) + 1),
    ),
  );
  if (threshold > size) throw new UsageError('--threshold is at most the number of nodes');
  return {
    namespace,
    environment,
    region,
    threshold,
    release: {
      version: await ask('release', 'Which release do the nodes run?', VERSION, former?.release ?? '1.0.0'),
      from: await ask('from', 'Where are releases?', SOURCE, like?.release.from ?? './release'),
    },
    infrastructure,
    recover: texts('recover').map(readLostKey),
    like,
    nodes: Array.from({ length: size }, (_, index) => nodes.get(index + 1) ?? {}),
  };
}

const LOST_KEY = /^([a-z0-9][a-z0-9._-]{0,62}):([a-z0-9-]{1,64}):((?:[0-9a-f]{2}){32,33})$/;

/** Reads which key is to be recovered. The check says whether its public key is one of its type. @throws UsageError */
function readLostKey(text: string): LostKey {
  const [, id, type, publicKey] = LOST_KEY.exec(text) ?? [];
  const known = shareTypeSchema.safeParse(type);
  if (id === undefined || publicKey === undefined || !known.success)
    throw new UsageError(
      `--recover is KEY:TYPE:HEX: an id, one of ${shareTypeSchema.options.join(', ')}, and a public key of 32 or 33 bytes in hex`,
    );
  return { id, type: known.data, publicKey };
}

function readCount(option: string, text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new UsageError(`--${option} is a number`);
}

type Ask = (option: string, question: string, form: Form, fallback?: string) => Promise<string>;

/** Takes answers from options, then from the person at a terminal, then from what goes without saying. */
function createQuestions({ text, io }: CommandInput): Ask {
  const isTerminal = (io.stdin as { isTTY?: boolean }).isTTY === true && io.stderr.isTTY === true;
  return async (option, question, form, fallback) => {
    let answer = text(option);
    if (answer === undefined && isTerminal) {
      const hint = fallback === undefined ? '' : ` [${fallback}]`;
      answer = (await askLine(io, `${question}${hint} `)) || undefined;
    }
    answer ??= fallback;
    if (answer === undefined) throw new UsageError(`--${option} is missing`);
    if (!form.pattern.test(answer)) throw new UsageError(`--${option} is ${form.words}`);
    return answer;
  };
}

async function askLine({ stdin, stderr, signal }: Io, question: string): Promise<string> {
  const lines = createInterface({ input: stdin, output: stderr, terminal: false });
  try {
    return (await lines.question(question, { signal })).trim();
  } catch (error) {
    if (signal.aborted) throw new CliError('INTERRUPTED', 'interrupted');
    throw error;
  } finally {
    lines.close();
  }
}
