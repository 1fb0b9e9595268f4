import { dirname, join } from 'node:path';
import { openSecretsManager, openSts } from '../../admin/aws/index.ts';
import { postgresOf } from '../../admin/vault/index.ts';
import {
  assertAccount,
  assertValuesFit,
  changesSomething,
  describePartition,
  MAX_VALUES_BYTES,
  parseValues,
  type PartitionDescription,
  planPartition,
  type PlannedValue,
  type PopulateAction,
  populatePartition,
  readPostgresPasswords,
  renderPostgresRoles,
  renderValues,
  selectEntries,
  type ValueSource,
} from '../../admin/vault/populate/index.ts';
import { AWS_OPTIONS, readAwsAccess } from '../common/aws.ts';
import { type Command, type CommandInput, type Outcome, UsageError } from '../common/command.ts';
import { confirm } from '../common/confirm.ts';
import { inFile } from '../common/in-file.ts';
import { readOwnFile } from '../common/own-file.ts';
import { writeOutput } from '../common/output-file.ts';
import { readVaultFile, VAULT_OPTION, type VaultFile } from './options.ts';
import { readSources } from './populate-sources/read-sources.ts';

export const populateCommand: Command = {
  name: 'vault populate',
  summary:
    'Put the secrets of a partition where their readers look for them: AWS Secrets Manager. Shows a plan and asks; what was generated once is never generated again.',
  positionals: '',
  options: {
    ...VAULT_OPTION,
    partition: {
      type: 'string',
      value: 'PARTITION',
      required: true,
      description: 'whose secrets: wallet, node-1, node-2 and so on',
    },
    values: {
      type: 'string',
      value: 'FILE',
      description:
        'where the values come from; never the values (default: populate/PARTITION.yaml beside vault.yaml)',
    },
    template: {
      type: 'boolean',
      description: 'only print such a file for the partition, with what each secret is',
    },
    postgres: {
      type: 'string',
      value: 'FILE',
      description:
        'wallet: afterwards also write what the administrator of the database runs once by "psql -f": roles and databases of the nodes; no password stands in it',
    },
    rotate: {
      type: 'string',
      value: 'NAME',
      description: 'give this one secret another value, touch no other, and say what has to be restarted',
    },
    yes: {
      type: 'boolean',
      description: 'carry out the plan without a question (without a terminal: only show it otherwise)',
    },
    ...AWS_OPTIONS,
  },
  examples: [
    'mkdir -p populate',
    'holdfast vault populate --partition wallet --template > populate/wallet.yaml',
    'holdfast vault populate --partition wallet',
    'holdfast vault populate --partition wallet --postgres populate/postgres.sql',
    'holdfast vault populate --partition wallet --rotate postgres-node-1-password --yes',
    'holdfast vault populate --partition node-1 --aws-profile node-1-admin',
  ],
  run: runPopulate,
};

const LINES: Readonly<Record<PopulateAction, string>> = {
  create: '+ {}: new',
  fill: '+ {}: has no value yet',
  rotate: '~ {}: REPLACED, the value there stays as AWSPREVIOUS',
  unchanged: '= {}: the same already',
  kept: '= {}: generated before, kept',
  conflict: '! {}: left alone',
  'left out': '  {}: not needed, left out',
};

async function runPopulate(input: CommandInput): Promise<Outcome> {
  const { text, flag, io } = input;
  const vault = await readVaultFile(input);
  const description = describePartition(vault.document, text('partition') ?? '');
  if (flag('template')) {
    const template = renderValues(description);
    return { ok: true, text: template.trimEnd(), data: { partition: description.partition, template } };
  }
  const { partition, account, region, prefix } = description;
  const path = text('values') ?? join(vault.folder, 'populate', `${partition}.yaml`);
  const sources = await readSourcesFile(path, description, text('values') !== undefined);
  const rotate = text('rotate');
  const entries = selectEntries(description, sources, rotate);
  const rolesFile = readRolesFile(input, vault, partition);
  // What needs no credentials is said before anybody asks for them.
  const values = await readSources(entries, sources, {
    folder: dirname(path),
    environment: io.env ?? process.env,
    signal: io.signal,
  });
  const opened: { destroy(): void }[] = [];
  try {
    assertValuesFit(entries, values);
    const access = await readAwsAccess(input, region);
    const client = await openSecretsManager(access);
    const sts = await openSts(access);
    opened.push(client, sts);
    await assertAccount(sts, description, io.signal);
    const plan = await planPartition(description, entries, values, { client, rotate, signal: io.signal });
    const shown = [
      `${partition}: secrets in account ${account}, ${region}`,
      ...plan.flatMap(describePlanned),
    ];
    const mayWrite = await isAgreed(input, shown, plan);
    const versions = mayWrite
      ? await populatePartition(description, plan, { client, signal: io.signal })
      : new Map<string, string>();
    const isInForce = mayWrite || !changesSomething(plan);
    if (rolesFile !== undefined && isInForce)
      await writeRoles(rolesFile, vault, description, { client, signal: io.signal });
    const restarts = plan.filter(({ action, entry }) => action === 'rotate' && versions.has(entry.name));
    return {
      ok: true,
      text: [
        ...shown,
        '',
        summarise(plan, mayWrite),
        ...(rolesFile === undefined || !isInForce
          ? []
          : [
              `${rolesFile}: written, for the administrator of the database, who runs it by psql -f; a second run changes nothing`,
            ]),
        ...restarts.map(({ entry }) => `${entry.name}: ${entry.afterRotation}`),
      ].join('\n'),
      data: {
        partition,
        account,
        region,
        prefix,
        applied: mayWrite,
        postgres: rolesFile !== undefined && isInForce ? rolesFile : null,
        plan: plan.map((planned) => describeAsData(planned, versions.get(planned.entry.name))),
        restart: restarts.map(({ entry }) => ({ name: entry.name, what: entry.afterRotation })),
      },
    };
  } finally {
    for (const value of values.values()) value.fill(0);
    for (const client of opened) client.destroy();
  }
}

/** Reads where the roles of the database are to be written; undefined where nobody asks for them. @throws UsageError */
function readRolesFile(
  { text }: CommandInput,
  { document }: VaultFile,
  partition: string,
): string | undefined {
  const path = text('postgres');
  if (path === undefined) return undefined;
  if (path === '') throw new UsageError('--postgres is a file');
  if (partition !== 'wallet') throw new UsageError('--postgres is of the partition wallet');
  if (postgresOf(document.parts) === null)
    throw new UsageError('--postgres: vault.yaml names no PostgreSQL server (parts.store)');
  return path;
}

/** Writes what the administrator of the database runs, of the passwords in force. @throws as readPostgresPasswords */
async function writeRoles(
  path: string,
  { document }: VaultFile,
  description: PartitionDescription,
  options: Parameters<typeof readPostgresPasswords>[2],
): Promise<void> {
  const passwords = await readPostgresPasswords(document, description, options);
  try {
    await writeOutput(path, renderPostgresRoles(document, passwords), { mode: 0o600 });
  } finally {
    for (const { password } of passwords.values()) password.fill(0);
  }
}

async function readSourcesFile(
  path: string,
  description: PartitionDescription,
  isNamed: boolean,
): Promise<ReadonlyMap<string, ValueSource>> {
  const found = await readOwnFile(path, {
    what: 'file of sources',
    maxBytes: MAX_VALUES_BYTES,
    exposed: 'POPULATE_VALUES_EXPOSED',
    malformed: 'POPULATE_VALUES_MALFORMED',
    isNamed,
  });
  if (found === undefined) {
    if (isNamed) throw new UsageError(`cannot read ${path}: there is no such file or folder (ENOENT)`);
    return new Map();
  }
  return inFile(path, () => parseValues(Buffer.from(found), description));
}

/** Whether the plan is carried out. A plan with a conflict is, so that the conflict is refused by its code. */
async function isAgreed(
  { flag, io }: CommandInput,
  shown: readonly string[],
  plan: readonly PlannedValue[],
): Promise<boolean> {
  const hasConflict = plan.some(({ action }) => action === 'conflict');
  if (hasConflict) return true;
  if (!changesSomething(plan)) return false;
  return flag('yes') || (await confirm(io, shown.join('\n'), 'Write this?'));
}

function describePlanned({ secretId, action, reason, current, entry }: PlannedValue): string[] {
  const line = LINES[action].replace('{}', secretId);
  return [
    `  ${line}${reason === undefined ? '' : `: ${reason}`}${current === undefined ? '' : `; in force: version ${current.slice(0, 12)}…`}`,
    ...(action === 'rotate' ? [`      afterwards: ${entry.afterRotation}`] : []),
  ];
}

function summarise(plan: readonly PlannedValue[], isApplied: boolean): string {
  if (!changesSomething(plan)) return 'nothing to do';
  return isApplied ? 'done, and read back' : 'nothing was changed; --yes carries this out';
}

function describeAsData(
  { entry, secretId, action, reason, current }: PlannedValue,
  written: string | undefined,
) {
  return { name: entry.name, secretId, kind: entry.kind, action, reason, current, written };
}
