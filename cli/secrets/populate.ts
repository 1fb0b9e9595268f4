import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { SecretPurpose } from '../../shared/documents/encryption-context.ts';
import { MAX_SECRET_BLOB_BYTES } from '../../shared/protocol/control.ts';
import { openSecretsManager } from '../../admin/aws/index.ts';
import {
  applyPlan,
  assertCiphertext,
  fingerprint,
  isSecretName,
  type PlannedSecret,
  planSecrets,
  secretPrefix,
} from '../../admin/secrets/index.ts';
import { AWS_OPTIONS, readAwsAccess } from '../common/aws.ts';
import { type Command, type CommandInput, type Outcome, readInput, UsageError } from '../common/command.ts';
import { nameNode, readManifestFile } from '../common/manifest-file.ts';
import { printable } from '../common/printable.ts';

export const populateCommand: Command = {
  name: 'secrets populate',
  summary:
    "Put a node's encrypted secrets where its parent reads them: AWS Secrets Manager. Shows a plan; --apply carries it out.",
  positionals: '',
  options: {
    manifest: {
      type: 'string',
      value: 'FILE',
      required: true,
      setting: 'manifest',
      description: 'the node: names and Region',
    },
    from: {
      type: 'string',
      value: 'DIR|FILE',
      multiple: true,
      required: true,
      description: 'ciphertexts: a folder, a file with the name of its secret, or NAME=FILE',
    },
    rotate: {
      type: 'string',
      value: 'NAME',
      multiple: true,
      description: 'replace this secret where it has another value; nothing else is ever overwritten',
    },
    apply: { type: 'boolean', description: 'carry out the plan (without: only show it)' },
    prefix: {
      type: 'string',
      value: 'TEXT',
      description: 'before the names (default: NAMESPACE/ENVIRONMENT/node-N/ of the manifest)',
    },
    region: {
      type: 'string',
      value: 'REGION',
      description: "where the secrets are (default: the Region of the manifest's KMS key)",
    },
    ...AWS_OPTIONS,
  },
  examples: [
    'holdfast secrets populate --manifest manifest.json --from secrets/',
    'holdfast secrets populate --manifest manifest.json --from secrets/ --apply',
    'holdfast secrets populate --manifest manifest.json --from encryptor-master-password=blob \\',
    '      --rotate encryptor-master-password --apply',
  ],
  run: runPopulate,
};

const LINES: Readonly<Record<PlannedSecret['action'], string>> = {
  create: '+ {}: new',
  fill: '+ {}: has no value yet',
  rotate: '~ {}: REPLACED, the value there stays as AWSPREVIOUS',
  unchanged: '= {}: the same already',
  conflict: '! {}: left alone',
};

async function runPopulate(input: CommandInput): Promise<Outcome> {
  const { text, flag, io } = input;
  const { manifest } = await readManifestFile(text('manifest') ?? '', io);
  const { blobs, ignored } = await readSources(input);
  const options = {
    prefix: readPrefix(text('prefix') ?? secretPrefix(manifest)),
    rotate: readRotations(input, blobs),
    signal: io.signal,
  };
  const region = readRegion(text('region') ?? manifest.kms.region);
  const client = await openSecretsManager(await readAwsAccess(input, region));
  try {
    const plan = await planSecrets(blobs, { ...options, client });
    const isApplied = flag('apply');
    const versions = isApplied
      ? await applyPlan(
          plan,
          { ...options, client },
          ({ name }) => `Ciphertext of the ${name} of ${nameNode(manifest)}`,
        )
      : new Map<string, string>();
    return {
      ok: true,
      text: [
        `${nameNode(manifest)}: secrets in ${region}`,
        ...plan.flatMap(describePlanned),
        ...ignored.map((path) => `  ignored: ${printable(path)} is no secret of a node`),
        '',
        summarise(plan, isApplied),
        `the parent's configuration names them as secretsmanager:${options.prefix}`,
      ].join('\n'),
      data: {
        region,
        prefix: options.prefix,
        applied: isApplied,
        plan: plan.map((planned) => describeAsData(planned, versions.get(planned.name))),
        ignored,
      },
    };
  } finally {
    client.destroy();
  }
}

function describePlanned({ name, secretId, action, reason, blob, current }: PlannedSecret): string[] {
  const line = LINES[action].replace('{}', secretId);
  return [
    `  ${line}${reason === undefined ? '' : `: ${reason}`}`,
    `      ${blob.length} bytes, SHA-256 ${fingerprint(blob)}${current === undefined ? '' : `; in force: version ${current}`}`,
    ...(action === 'rotate'
      ? ['      WARNING: a store that was sealed with the password in force opens with no other']
      : []),
    ...(action === 'conflict' && reason !== 'being deleted' ? [`      --rotate ${name} replaces it`] : []),
  ];
}

function summarise(plan: readonly PlannedSecret[], isApplied: boolean): string {
  const changes = plan.filter(({ action }) => action !== 'unchanged').length;
  if (changes === 0) return 'nothing to do';
  return isApplied ? 'done, and read back' : 'nothing was changed; --apply carries this out';
}

function describeAsData({ blob, ...planned }: PlannedSecret, written: string | undefined) {
  return {
    ...planned,
    length: blob.length,
    sha256: fingerprint(blob),
    ...(written === undefined ? {} : { written }),
  };
}

async function readSources({ texts, io }: CommandInput) {
  const blobs = new Map<SecretPurpose, Uint8Array>();
  const ignored: string[] = [];
  const take = async (name: string, path: string): Promise<void> => {
    if (!isSecretName(name)) throw new UsageError(`"${name}" is no secret of a node: NAME=FILE says which`);
    if (blobs.has(name)) throw new UsageError(`--from gives ${name} twice`);
    const blob = await readInput(path, io, MAX_SECRET_BLOB_BYTES);
    assertCiphertext(name, blob);
    blobs.set(name, blob);
  };
  for (const source of texts('from')) {
    const [, name, file] = /^([a-z0-9-]+)=(.+)$/s.exec(source) ?? [];
    if (name !== undefined && file !== undefined) await take(name, file);
    else if (!(await isFolder(source))) await take(basename(source), source);
    else {
      for (const entry of (await readdir(source)).sort()) {
        if (isSecretName(entry)) await take(entry, join(source, entry));
        else ignored.push(join(source, entry));
      }
    }
  }
  if (blobs.size === 0) throw new UsageError('--from holds no secret of a node');
  return { blobs, ignored };
}

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function readRotations({ texts }: CommandInput, blobs: ReadonlyMap<string, Uint8Array>): Set<string> {
  const missing = texts('rotate').find((name) => !blobs.has(name));
  if (missing !== undefined) throw new UsageError(`--rotate ${missing}: --from does not have it`);
  return new Set(texts('rotate'));
}

function readPrefix(prefix: string): string {
  if (/^[\w/+=.@-]{0,400}$/.test(prefix)) return prefix;
  throw new UsageError('--prefix has letters, digits and /_+=.@- alone');
}

function readRegion(region: string): string {
  if (/^[a-z0-9-]{1,32}$/.test(region)) return region;
  throw new UsageError('--region is an AWS Region');
}
