import { access, constants } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import {
  BackupAuditError,
  type DrillVault,
  findLastProofs,
  MAX_DRILL_BYTES,
  verifyDrill,
} from '../../audit/recovery/index.ts';
import {
  type CommandInput,
  type OptionSpec,
  type Outcome,
  readInput,
  UsageError,
} from '../common/command.ts';
import { inFile } from '../common/in-file.ts';
import { readIdentifier } from '../node/connection.ts';
import { parseVaultManifest, readManifests } from './backups.ts';
import { writeSchedule } from './schedule.ts';
import { readLeaders } from './verify.ts';

const DAY_MS = 86_400_000;
const PROGRAM = '/usr/bin/holdfast';

/** Options of the question whether a drill is due, beside `--manifest`. */
export const DUE_OPTIONS = {
  schedule: {
    type: 'string',
    value: 'DAYS',
    description:
      'print a systemd timer that asks daily whether one is due, of --manifest, --leader, --record and --key',
  },
  due: {
    type: 'string',
    value: 'DAYS',
    description: 'say whether one is due in the vault of --manifest, by the records of --record',
  },
  record: {
    type: 'string',
    value: 'FILE',
    multiple: true,
    description: 'record of a drill, for --due (repeat)',
  },
  key: {
    type: 'string',
    value: 'ID',
    multiple: true,
    description: 'a key that has to be proven, for --due (repeat; default: any of the vault)',
  },
  leader: {
    type: 'string',
    value: 'HEX',
    multiple: true,
    description: 'Ed25519 public key of one who may lead drills, for --due (repeat)',
  },
  program: {
    type: 'string',
    value: 'PATH',
    description: `with --schedule: where the command will be installed (default: ${PROGRAM}, where it is)`,
  },
  'on-failure': {
    type: 'string',
    value: 'UNIT',
    description:
      'with --schedule: unit of yours that tells people, such as notify@%n.service; systemd starts it once a drill is due',
  },
} as const satisfies Record<string, OptionSpec>;

/** Name of a unit, with the specifiers that name the unit which has failed; Source: systemd.unit(5). */
const UNIT = /^(?:[A-Za-z0-9:_.@\\-]|%[nNpi]){1,200}\.(?:service|target)$/;

/** Says whether a drill is due. @throws BackupAuditError DRILL_DUE, DRILL_OTHER_VAULT; DsseError; UsageError */
export async function sayDue(input: CommandInput, days: number): Promise<Outcome> {
  const { leaders, vault, keys } = await readScope(input, '--due');
  const drills = [];
  for (const path of input.texts('record')) {
    const bytes = await readInput(path, input.io, MAX_DRILL_BYTES);
    drills.push(inFile(path, () => verifyDrill(bytes, leaders)).drill);
  }
  const now = Date.now();
  const proofs = findLastProofs(drills, vault, keys, now);
  const toIso = (time: number | null) => (time === null ? null : new Date(time).toISOString());
  const due = proofs.filter(({ last }) => last === null || now >= last + days * DAY_MS);
  if (due.length > 0) {
    const lines = due.map(({ key, last }) =>
      last === null ? `${key}: never proven` : `${key}: due since ${toIso(last + days * DAY_MS) ?? ''}`,
    );
    throw new BackupAuditError('DRILL_DUE', `a drill is due: ${lines.join('; ')}`, {
      days,
      last: toIso(due[0]?.last ?? null),
      keys: due.map(({ key, last }) => ({ key, last: toIso(last) })),
    });
  }
  const lines = proofs.map(
    ({ key, last }) =>
      `${key}: proven at ${toIso(last) ?? ''}; the next drill is due at ${toIso((last ?? 0) + days * DAY_MS) ?? ''}`,
  );
  return {
    ok: true,
    text: lines.join('\n'),
    data: { keys: proofs.map(({ key, last }) => ({ key, last: toIso(last) })) },
  };
}

/** Prints the units of a timer that asks daily. @throws UsageError with what is missing */
export async function printSchedule(input: CommandInput, days: number): Promise<Outcome> {
  await readScope(input, '--schedule');
  const records = input.texts('record');
  if (records.length === 0)
    throw new UsageError('--schedule needs --record: the file in which the record of each drill will be put');
  const onFailure = input.text('on-failure');
  if (onFailure !== undefined && !UNIT.test(onFailure))
    throw new UsageError('--on-failure is the name of a unit, such as notify@%n.service');
  const listed = (option: string, values: readonly string[]) =>
    values.flatMap((value) => [`--${option}`, value]);
  const paths = (option: string) =>
    listed(
      option,
      input.texts(option).map((path) => resolve(path)),
    );
  const command = [
    await readProgram(input),
    'ers',
    'drill',
    '--due',
    String(days),
    ...paths('manifest'),
    ...listed('leader', input.texts('leader')),
    ...listed('key', input.texts('key')),
    ...paths('record'),
  ];
  const text = writeSchedule(days, command, onFailure);
  return { ok: true, text, data: { days, onFailure: onFailure ?? null, text } };
}

/** Reads which vault and keys it is about, and who may lead drills. @throws UsageError; ManifestError */
async function readScope(input: CommandInput, verb: string) {
  const leaders = readLeaders(input);
  if (leaders.length === 0) throw new UsageError(`${verb} needs --leader: who may lead drills`);
  const keys = input.texts('key').map((key) => readIdentifier(key, '--key'));
  return { leaders, keys, vault: await readVault(input, verb) };
}

async function readVault(input: CommandInput, verb: string): Promise<DrillVault> {
  const manifests = (await readManifests(input)).map((bytes) => parseVaultManifest(bytes));
  const [first] = manifests;
  if (first === undefined)
    throw new UsageError(`${verb} needs --manifest: of which vault a drill may be due`);
  const { namespace, environment } = first;
  if (manifests.some((one) => one.namespace !== namespace || one.environment !== environment))
    throw new UsageError('the manifests are of several vaults: ask for each by itself');
  return { namespace, environment, recoveryKeys: manifests.map((one) => one.emergencyRecovery.publicKey) };
}

async function readProgram({ text }: CommandInput): Promise<string> {
  const given = text('program');
  if (given !== undefined) {
    if (!isAbsolute(given)) throw new UsageError('--program is an absolute path');
    return given;
  }
  return await access(PROGRAM, constants.X_OK).then(
    () => PROGRAM,
    () => {
      throw new UsageError(`${PROGRAM} is not there: --program says where the command will be installed`);
    },
  );
}
