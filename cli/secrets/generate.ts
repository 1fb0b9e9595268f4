import { link, lstat } from 'node:fs/promises';
import { PASSWORD_SECRET } from '../../shared/documents/encryption-context.ts';
import type { Manifest } from '../../shared/documents/manifest.ts';
import { openKms } from '../../admin/aws/index.ts';
import {
  fingerprint,
  generatePassword,
  passwordContext,
  renderGenerateStatement,
  secretPrefix,
} from '../../admin/secrets/index.ts';
import { AWS_OPTIONS, readAwsAccess } from '../common/aws.ts';
import { type Command, type CommandInput, type Outcome, readInput, UsageError } from '../common/command.ts';
import { CliError } from '../common/errors.ts';
import { nameNode, readManifestFile } from '../common/manifest-file.ts';
import { assertWritable, writeOutput } from '../common/output-file.ts';

const MAX_FORMER_BYTES = 64 * 1024;
const PRINCIPAL = /^arn:aws[a-z-]*:(?:iam|sts)::[0-9]{12}:[\w+=,.@/-]{1,512}$/;

export const generateCommand: Command = {
  name: 'secrets generate',
  summary:
    'Have KMS make an Encryptor Master Password that nobody sees, and write its ciphertext. Needed only where a configuration says "supplied": otherwise the enclave makes its own.',
  positionals: '',
  options: {
    manifest: {
      type: 'string',
      value: 'FILE',
      required: true,
      setting: 'manifest',
      description: 'the node: its KMS key and context',
    },
    output: { type: 'string', value: 'BLOB', description: 'the ciphertext; never overwritten' },
    rotate: { type: 'boolean', description: 'replace the file; the former one is kept beside it' },
    principal: {
      type: 'string',
      value: 'ARN',
      description: 'who may have one made, for the statement that is printed',
    },
    statement: {
      type: 'boolean',
      description: 'only print the statement that the key policy needs for it, and make nothing',
    },
    ...AWS_OPTIONS,
  },
  examples: [
    'holdfast secrets generate --manifest manifest.json --statement --principal arn:aws:iam::111122223333:role/admin',
    'holdfast secrets generate --manifest manifest.json --output encryptor-master-password',
    'holdfast secrets generate --manifest manifest.json --output blob --endpoint https://localhost:4566 --ca ca.pem',
  ],
  run: runGenerate,
};

async function runGenerate(input: CommandInput): Promise<Outcome> {
  const { text, flag, io } = input;
  const { manifest } = await readManifestFile(text('manifest') ?? '', io);
  const statement = renderGenerateStatement(manifest, readPrincipal(text('principal')));
  if (flag('statement')) {
    return {
      ok: true,
      text: JSON.stringify(statement, undefined, 2),
      data: { keyArn: manifest.kms.keyArn, statement },
    };
  }
  const output = text('output');
  if (output === undefined || output === '-') throw new UsageError('--output BLOB is required');
  const rotate = flag('rotate');
  if (!rotate && (await exists(output))) throw alreadyThere(output);
  await assertWritable(output);
  const blob = await requestPassword(input, manifest);
  const former = rotate ? await keepFormer(output, input) : undefined;
  if (!(await writeOutput(output, blob, { mode: 0o600, keep: !rotate }))) throw alreadyThere(output);
  const sha256 = fingerprint(blob);
  const secretId = `${secretPrefix(manifest)}${PASSWORD_SECRET}`;
  return {
    ok: true,
    text: [
      `${output}: the password of ${nameNode(manifest)}, made and encrypted by KMS (${blob.length} bytes, SHA-256 ${sha256})`,
      ...(former === undefined
        ? []
        : [`former one kept as ${former}: a store that it sealed opens with no other`]),
      '',
      `The parent reads it as the file ${PASSWORD_SECRET} in its folder of secrets, or from AWS Secrets Manager as`,
      `${secretId} ("holdfast secrets populate").`,
      '',
      'Now take this statement out of the key policy, if it is there: whom it names can have another password made',
      'for the node (without it KMS would have refused):',
      JSON.stringify(statement, undefined, 2),
    ].join('\n'),
    data: {
      output,
      length: blob.length,
      sha256,
      name: PASSWORD_SECRET,
      secretId,
      keyArn: manifest.kms.keyArn,
      encryptionContext: passwordContext(manifest),
      ...(former === undefined ? {} : { former }),
      statement,
    },
  };
}

function readPrincipal(principal: string | undefined): string | undefined {
  if (principal === undefined || PRINCIPAL.test(principal)) return principal;
  throw new UsageError('--principal is the ARN of a role or a user');
}

async function requestPassword(input: CommandInput, manifest: Manifest): Promise<Uint8Array> {
  const kms = await openKms(await readAwsAccess(input, manifest.kms.region));
  try {
    return await generatePassword(kms, manifest, input.io.signal);
  } finally {
    kms.destroy();
  }
}

function alreadyThere(path: string): CliError {
  return new CliError('SECRET_EXISTS', 'there is a file already; --rotate replaces it', { path });
}

async function exists(path: string): Promise<boolean> {
  return await lstat(path).then(
    () => true,
    () => false,
  );
}

/** Gives the former ciphertext a second name, of its own fingerprint, before the first is taken from it. */
async function keepFormer(path: string, { io }: CommandInput): Promise<string | undefined> {
  if (!(await exists(path))) return undefined;
  const kept = `${path}.${fingerprint(await readInput(path, io, MAX_FORMER_BYTES)).slice(0, 16)}`;
  await link(path, kept).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw new UsageError(`cannot write ${kept}: ${error.code ?? ''}`);
  });
  return kept;
}
