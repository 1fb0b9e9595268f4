import { randomBytes } from 'node:crypto';
import {
  BackupAuditError,
  DRILL_PAYLOAD_TYPE,
  encodeDrill,
  MAX_DRILL_BYTES,
  verifyDrill,
} from '../../audit/recovery/index.ts';
import { joinRecoveryKey, runDrill, verifyShare } from '../../admin/recovery/index.ts';
import { createEnvelope, signEnvelope } from '../../shared/dsse/index.ts';
import { type Command, type CommandInput, type Outcome, readInput, UsageError } from '../common/command.ts';
import { inFile } from '../common/in-file.ts';
import { writeOutput } from '../common/output-file.ts';
import { readSigningKey } from '../common/private-key.ts';
import { BACKUP_OPTIONS, readBackups, readCustodians, recoveryKeyOf } from './backups.ts';
import { MAX_DRILL_DAYS, writeCalendar, writeSchedule } from './schedule.ts';
import { readShares, SHARE_OPTIONS } from './shares.ts';
import { readLeaders } from './verify.ts';

const FILES =
  '--backup node-1.treasury.json --backup node-2.treasury.json --pcrs pcr.json --manifest node-1/manifest.json --manifest node-2/manifest.json --custodians custodians.json';

export const drillCommand: Command = {
  name: 'ers drill',
  summary:
    'Prove that recovery works: recover in memory, sign a challenge with the recovered keys, forget them, and leave a signed record. Or say when the next drill is due.',
  positionals: '',
  options: {
    ...BACKUP_OPTIONS,
    ...SHARE_OPTIONS,
    custodians: { type: 'string', value: 'FILE', description: 'custodians.json, which names those who came' },
    nonce: { type: 'string', value: 'HEX', description: "the auditor's nonce (default: a random one)" },
    signer: { type: 'string', value: 'PEM', description: 'Ed25519 private key of whoever leads the drill' },
    output: { type: 'string', value: 'FILE', description: 'write the record there' },
    schedule: {
      type: 'string',
      value: 'DAYS',
      description: 'print a systemd timer that asks daily whether one is due',
    },
    calendar: {
      type: 'string',
      value: 'DAYS',
      description: 'print a calendar entry (RFC 5545) every so many days',
    },
    due: { type: 'string', value: 'DAYS', description: 'say whether one is due, by the records of --record' },
    record: {
      type: 'string',
      value: 'FILE',
      multiple: true,
      description: 'record of a drill, for --due (repeat)',
    },
    leader: {
      type: 'string',
      value: 'HEX',
      multiple: true,
      description: 'Ed25519 public key of one who may lead drills, for --due (repeat)',
    },
  },
  examples: [
    `holdfast ers drill ${FILES} --ask 2 --signer leader.pem --output drill.json`,
    'holdfast ers drill --schedule 90',
    `holdfast ers drill --due 90 --record drill.json --leader ${'5e'.repeat(32)}`,
  ],
  run: async (input) => {
    const [due, schedule, calendar] = ['due', 'schedule', 'calendar'].map((name) => readDays(input, name));
    if ([due, schedule, calendar].filter((days) => days !== undefined).length > 1)
      throw new UsageError('--due, --schedule and --calendar exclude each other');
    if (due !== undefined) return await sayDue(input, due);
    if (schedule !== undefined) {
      const records = '/etc/holdfast/drills/newest.json';
      const command = `/usr/bin/holdfast ers drill --due ${schedule} --record ${records} --leader PUBLIC_KEY`;
      return printed(writeSchedule(schedule, command), { days: schedule });
    }
    if (calendar !== undefined) return printed(writeCalendar(calendar, Date.now()), { days: calendar });
    return await hold(input);
  },
};

const printed = (text: string, data: object): Outcome => ({ ok: true, text, data: { ...data, text } });

async function hold(input: CommandInput): Promise<Outcome> {
  const output = input.text('output');
  const signer = input.text('signer');
  if (output === undefined || signer === undefined)
    throw new UsageError('--signer and --output are needed for a drill');
  const nonce = input.text('nonce') ?? randomBytes(32).toString('hex');
  if (!/^(?:[0-9a-f]{2}){16,64}$/.test(nonce))
    throw new UsageError('--nonce is 16 to 64 bytes in lower-case hex');
  const { privateKey, publicKey } = await readSigningKey(signer);
  const backups = await readBackups(input);
  const recoveryPublicKey = recoveryKeyOf(backups);
  const custodians = await readCustodians(input);
  const words = await readShares(input);
  const shares = words.map((one) => verifyShare(one, custodians));
  const recoveryKey = joinRecoveryKey(words, recoveryPublicKey);
  const drill = runDrill(backups, recoveryKey, {
    custodians: shares.map(({ share, name }) => ({ share, name })),
    threshold: shares[0]?.threshold ?? 0,
    nonce,
    now: Date.now(),
  });
  const envelope = signEnvelope(createEnvelope(DRILL_PAYLOAD_TYPE, encodeDrill(drill)), privateKey);
  const bytes = Buffer.from(`${JSON.stringify(envelope)}\n`);
  // What is handed to an auditor was verified as the auditor does.
  verifyDrill(bytes, [publicKey]);
  await writeOutput(output, bytes);
  const lines = drill.proven.map(
    ({ key, epoch, nodes, signature }) =>
      `  ${key}${epoch === null ? '' : ` epoch ${epoch}`} of node ${nodes.join(', ')}: ${signature === null ? 'read; a symmetric key has nothing to prove itself by' : 'signs as its public key says'}`,
  );
  return {
    ok: true,
    text: [
      `${output}: recovery is proven, and nothing of it was kept`,
      ...lines,
      `  led by ${publicKey}`,
    ].join('\n'),
    data: { output, leader: publicKey, nonce, proven: drill.proven },
  };
}

async function sayDue(input: CommandInput, days: number): Promise<Outcome> {
  const leaders = readLeaders(input);
  if (leaders.length === 0) throw new UsageError('--leader is needed: who may lead drills');
  let last: number | undefined;
  for (const path of input.texts('record')) {
    const bytes = await readInput(path, input.io, MAX_DRILL_BYTES);
    const { drill } = inFile(path, () => verifyDrill(bytes, leaders));
    const time = Date.parse(drill.time);
    // A record of the future would put the next drill off.
    if (time <= Date.now()) last = Math.max(last ?? 0, time);
  }
  const until = last === undefined ? undefined : new Date(last + days * 86_400_000).toISOString();
  if (last === undefined || Date.now() >= last + days * 86_400_000)
    throw new BackupAuditError(
      'DRILL_DUE',
      until === undefined ? 'no drill was ever proven' : `a drill is due since ${until}`,
      {
        days,
        last: last === undefined ? null : new Date(last).toISOString(),
      },
    );
  return {
    ok: true,
    text: `the last drill was at ${new Date(last).toISOString()}; the next one is due at ${until ?? ''}`,
    data: { last: new Date(last).toISOString(), due: until },
  };
}

function readDays(input: CommandInput, name: string): number | undefined {
  const text = input.text(name);
  if (text === undefined) return undefined;
  const days = /^[1-9][0-9]{0,2}$/.test(text) ? Number(text) : Number.NaN;
  if (!(days <= MAX_DRILL_DAYS))
    throw new UsageError(`--${name} is a number of days from 1 to ${MAX_DRILL_DAYS}`);
  return days;
}
