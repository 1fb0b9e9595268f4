import { randomBytes } from 'node:crypto';
import { DRILL_PAYLOAD_TYPE, encodeDrill, verifyDrill } from '../../audit/recovery/index.ts';
import { joinRecoveryKey, runDrill } from '../../admin/recovery/index.ts';
import { createEnvelope, signEnvelope } from '../../shared/dsse/index.ts';
import { type Command, type CommandInput, type Outcome, UsageError } from '../common/command.ts';
import { assertWritable, writeOutput } from '../common/output-file.ts';
import { readSigningKey } from '../common/private-key.ts';
import { BACKUP_OPTIONS, nameBackup, readBackups, readCustodians, recoveryKeyOf } from './backups.ts';
import { DUE_OPTIONS, printSchedule, sayDue } from './drill-due.ts';
import { MAX_DRILL_DAYS, writeCalendar } from './schedule.ts';
import { readShares, SHARE_OPTIONS } from './shares.ts';

const FILES =
  '--backup node-1.treasury.json --backup node-2.treasury.json --pcrs pcr.json --manifest node-1/manifest.json --manifest node-2/manifest.json --custodians custodians.json';

const LEADER = '5e'.repeat(32);

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
    calendar: {
      type: 'string',
      value: 'DAYS',
      description: 'print a calendar entry (RFC 5545) every so many days',
    },
    ...DUE_OPTIONS,
  },
  examples: [
    `holdfast ers drill ${FILES} --ask 2 --signer leader.pem --output drill.json`,
    `holdfast ers drill --schedule 90 --manifest node-1/manifest.json --leader ${LEADER} --record drill.json --program /opt/holdfast/bin/holdfast --on-failure notify@%n.service`,
    `holdfast ers drill --due 90 --manifest node-1/manifest.json --leader ${LEADER} --record drill.json`,
  ],
  run: async (input) => {
    const [due, schedule, calendar] = ['due', 'schedule', 'calendar'].map((name) => readDays(input, name));
    if ([due, schedule, calendar].filter((days) => days !== undefined).length > 1)
      throw new UsageError('--due, --schedule and --calendar exclude each other');
    if (due !== undefined) return await sayDue(input, due);
    if (schedule !== undefined) return await printSchedule(input, schedule);
    if (calendar !== undefined) {
      const text = writeCalendar(calendar, Date.now());
      return { ok: true, text, data: { days: calendar, text } };
    }
    return await hold(input);
  },
};

async function hold(input: CommandInput): Promise<Outcome> {
  const output = input.text('output');
  const signer = input.text('signer');
  if (output === undefined || signer === undefined)
    throw new UsageError('--signer and --output are needed for a drill');
  const nonce = input.text('nonce') ?? randomBytes(32).toString('hex');
  if (!/^(?:[0-9a-f]{2}){16,64}$/.test(nonce))
    throw new UsageError('--nonce is 16 to 64 bytes in lower-case hex');
  // Before the custodians come together.
  await assertWritable(output);
  const { privateKey, publicKey } = await readSigningKey(signer);
  const backups = await readBackups(input);
  const recoveryPublicKey = recoveryKeyOf(backups);
  const custodians = await readCustodians(input, recoveryPublicKey);
  const { words, shares } = await readShares(input, custodians);
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
  const cold = backups.filter(({ kind }) => kind === 'cold').map((backup) => `  ${nameBackup(backup)}`);
  const lines = drill.proven.map(
    ({ key, epoch, nodes, signature }) =>
      `  ${key}${epoch === null ? '' : ` epoch ${epoch}`} of node ${nodes.join(', ')}: ${signature === null ? 'read; a symmetric key has nothing to prove itself by' : 'signs as its public key says'}`,
  );
  return {
    ok: true,
    text: [
      `${output}: recovery is proven, and nothing of it was kept`,
      ...lines,
      ...cold,
      `  led by ${publicKey}`,
    ].join('\n'),
    data: { output, leader: publicKey, nonce, proven: drill.proven },
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
