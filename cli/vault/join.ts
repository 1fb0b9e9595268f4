import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  JOIN_FORMAT,
  type JoinFile,
  MAX_JOIN_BYTES,
  parseJoin,
  VaultError,
} from '../../admin/vault/index.ts';
import { type Command, type CommandInput, type Outcome, UsageError } from '../common/command.ts';
import { writeOutput } from '../common/output-file.ts';
import { makePrivateFolder } from '../common/private-folder.ts';
import { describeSystemError } from '../common/system-error.ts';
import { keepKey, type KeptKey } from './keep-key.ts';

export const joinCommand: Command = {
  name: 'vault join',
  summary:
    'Make the keys of your role, once, and write what vault.yaml needs of you: account, people and public keys. Private keys stay in the folder, for you alone.',
  positionals: '',
  options: {
    role: {
      type: 'string',
      value: 'ROLE',
      required: true,
      description: 'who you are: infrastructure, node-1, node-2 and so on',
    },
    account: { type: 'string', value: 'ACCOUNT', required: true, description: 'your AWS account, 12 digits' },
    admin: {
      type: 'string',
      value: 'ARN',
      multiple: true,
      required: true,
      description: 'IAM role of somebody who decides for your role; give two',
    },
    region: {
      type: 'string',
      value: 'REGION',
      description: "Region of the node's KMS key, where it is not the vault's",
    },
    'recovery-key': {
      type: 'string',
      value: 'HEX',
      description: 'public key of "ers keygen", which your custodians have made',
    },
    keys: { type: 'string', value: 'FOLDER', description: 'folder of your private keys (default: keys)' },
    output: { type: 'string', value: 'FILE', description: 'default: ROLE.join.json' },
  },
  examples: [
    'holdfast vault join --role node-1 --account 111111111111 --admin arn:aws:iam::111111111111:role/node-admin --admin arn:aws:iam::111111111111:role/node-admin-2',
  ],
  run: runJoin,
};

async function runJoin(input: CommandInput): Promise<Outcome> {
  const { text, texts } = input;
  const [role = '', folder = 'keys'] = [text('role'), text('keys')];
  const isNode = role !== 'infrastructure';
  const open = { statementKey: '0'.repeat(64) };
  const described = describe(input, role, open);
  if (texts('recovery-key').length > 0 && !isNode)
    throw new UsageError('--recovery-key is for roles of nodes alone');
  await makePrivateFolder(folder);
  const output = text('output') ?? `${role}.join.json`;
  const former = await readFormer(output);
  const paths = [`${role}.statement.pem`, ...(isNode ? [`${role}.authority.pem`] : [])].map((name) =>
    join(folder, name),
  );
  // Before a key is made: what was told to the others names the keys that were there then.
  if (former !== undefined) for (const path of paths) await assertKeyThere(path, output);
  const [statement, authority] = await keepKeys(paths);
  const file: JoinFile = {
    ...described,
    statementKey: statement.publicKey,
    ...(authority === undefined ? {} : { authorityKey: authority.publicKey }),
  };
  const content = `${JSON.stringify(file, undefined, 2)}\n`;
  if (former !== undefined && former !== content)
    throw differs(output, { differs: describeDifference(former, file) });
  if (former === undefined) await writeOutput(output, content);
  const kept = [statement, ...(authority === undefined ? [] : [authority])];
  return {
    ok: true,
    text: [
      ...kept.map(
        ({ path, isNew }) => `${path}: ${isNew ? 'made, for you alone' : 'was there, and is kept'}`,
      ),
      `${output}: ${former === undefined ? 'written' : 'is there already, and the same'}; its key begins with ${statement.publicKey.slice(0, 16)}`,
      isNode
        ? `  next: send ${output} to infrastructure, and read the beginning of its key to them; with vault.yaml, and for your run sheet: holdfast vault fetch --vault vault.yaml --role ${role} --statement-key ${statement.path} --sheets sheets`
        : `  next: when each node admin has sent theirs: holdfast vault init --namespace NAME --region REGION --join ${output} --join node-1.join.json and so on, with the name and the Region that you have agreed on`,
    ].join('\n'),
    data: { output, changed: former === undefined, join: file, keys: kept },
  };
}

/** Reads what an earlier run has written; undefined where there is none, or something that is no file. */
async function readFormer(path: string): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isFile() !== true) return undefined;
  if (found.size > MAX_JOIN_BYTES) throw differs(path);
  return await readFile(path, 'utf8').catch((error: unknown) => {
    throw new UsageError(`cannot read ${path}: ${describeSystemError(error)}`);
  });
}

/** @throws VaultError VAULT_JOIN_EXISTS */
async function assertKeyThere(path: string, output: string): Promise<void> {
  if ((await stat(path).catch(() => undefined)) === undefined) throw differs(output, { missing: path });
}

function differs(path: string, details: Readonly<Record<string, string>> = {}): VaultError {
  return new VaultError(
    'VAULT_JOIN_EXISTS',
    'this role has told something else before, and nothing of it was changed',
    { path, ...details },
  );
}

/** Names the fields in which a former file says something else. */
function describeDifference(former: string, file: JoinFile): string {
  let before: JoinFile;
  try {
    before = parseJoin(Buffer.from(former));
  } catch (error) {
    if (error instanceof VaultError) return 'it is no file that "vault join" writes';
    throw error;
  }
  const fields = [...new Set([...Object.keys(before), ...Object.keys(file)])] as (keyof JoinFile)[];
  const different = fields.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(file[name]));
  return different.length === 0 ? 'how it is written alone' : different.join(', ');
}

const OPTIONS: Readonly<Record<string, string>> = { admins: 'admin', recoveryKey: 'recovery-key' };

/** Describes the role but for its keys, and refuses what no vault.yaml could have before a key is made. @throws UsageError */
function describe(
  { text, texts }: CommandInput,
  role: string,
  keys: Pick<JoinFile, 'statementKey'>,
): JoinFile {
  const [region, recoveryKey] = [text('region'), text('recovery-key')];
  const file = {
    format: JOIN_FORMAT,
    role,
    account: text('account') ?? '',
    ...(region === undefined ? {} : { region }),
    admins: [...texts('admin')],
    ...keys,
    ...(recoveryKey === undefined ? {} : { recoveryKey }),
  };
  try {
    return parseJoin(Buffer.from(JSON.stringify(file)));
  } catch (error) {
    if (!(error instanceof VaultError)) throw error;
    const { field, problem } = error.details;
    if (typeof field !== 'string' || typeof problem !== 'string') throw error;
    const [name = ''] = field.split('.');
    throw new UsageError(`--${OPTIONS[name] ?? name}: ${problem}`);
  }
}

async function keepKeys([first = '', second]: readonly string[]): Promise<readonly [KeptKey, KeptKey?]> {
  const statement = await keepKey(first);
  return second === undefined ? [statement] : [statement, await keepKey(second)];
}
