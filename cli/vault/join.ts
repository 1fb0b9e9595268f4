import { generateKeyPairSync } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { JOIN_FORMAT, type JoinFile, parseJoin, VaultError } from '../../admin/vault/index.ts';
import { type Command, type CommandInput, type Outcome, UsageError } from '../common/command.ts';
import { writeOutput } from '../common/output-file.ts';
import { readSigningKey } from '../common/private-key.ts';
import { describeSystemError } from '../common/system-error.ts';

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
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new UsageError(`cannot write ${folder}: ${describeSystemError(error)}`);
  }
  const statement = await keepKey(join(folder, `${role}.statement.pem`));
  const authority = isNode ? await keepKey(join(folder, `${role}.authority.pem`)) : undefined;
  const file: JoinFile = {
    ...described,
    statementKey: statement.publicKey,
    ...(authority === undefined ? {} : { authorityKey: authority.publicKey }),
  };
  const output = text('output') ?? `${role}.join.json`;
  await writeOutput(output, `${JSON.stringify(file, undefined, 2)}\n`);
  const kept = [statement, ...(authority === undefined ? [] : [authority])];
  return {
    ok: true,
    text: [
      ...kept.map(
        ({ path, isNew }) => `${path}: ${isNew ? 'made, for you alone' : 'was there, and is kept'}`,
      ),
      `${output}: written; give it to whoever writes vault.yaml, and read its key to them: ${statement.publicKey.slice(0, 16)}…`,
    ].join('\n'),
    data: { output, join: file, keys: kept },
  };
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

/** Makes an Ed25519 key in a file of its owner's alone, or reads the one that is there: a key is never replaced. */
async function keepKey(path: string): Promise<{ path: string; isNew: boolean; publicKey: string }> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const isNew = await writeOutput(path, pem, { mode: 0o600, keep: true });
  const { publicKey } = await readSigningKey(path);
  return { path, isNew, publicKey };
}
