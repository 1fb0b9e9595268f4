import {
  assertDrillFor,
  assertDrillOf,
  describeCoverage,
  MAX_DRILL_BYTES,
  verifyDrill,
} from '../../audit/recovery/index.ts';
import { joinRecoveryKey, RecoveryCeremonyError } from '../../admin/recovery/index.ts';
import { type Command, type CommandInput, readInput, UsageError } from '../common/command.ts';
import { inFile } from '../common/in-file.ts';
import {
  BACKUP_OPTIONS,
  nameBackup,
  parseVaultManifest,
  readBackups,
  readCustodians,
  readManifests,
} from './backups.ts';
import { readShares, SHARE_OPTIONS } from './shares.ts';

const HEX_KEY = /^[0-9a-f]{64}$/;

export const verifyCommand: Command = {
  name: 'ers verify',
  summary:
    'Verify shares of custodians, backups with their proofs, and records of drills, offline and without recovering anything.',
  positionals: '',
  options: {
    ...SHARE_OPTIONS,
    custodians: { type: 'string', value: 'FILE', description: 'custodians.json of ers keygen' },
    ...BACKUP_OPTIONS,
    nonce: {
      type: 'string',
      value: 'HEX',
      description: 'the nonce that you sent, which the drill must have, or without one the backups',
    },
    drill: { type: 'string', value: 'FILE', multiple: true, description: 'record of a drill (repeat)' },
    leader: {
      type: 'string',
      value: 'HEX',
      multiple: true,
      description: 'Ed25519 public key of one who may lead drills (repeat)',
    },
  },
  examples: [
    'holdfast ers verify --ask 1 --custodians custodians.json',
    'holdfast ers verify --custodians custodians.json --manifest node-1/manifest.json --manifest node-2/manifest.json',
    'holdfast ers verify --backup backups/node-1.treasury.json --backup backups/node-2.treasury.json --pcrs pcr.json --manifest node-1/manifest.json --manifest node-2/manifest.json',
    `holdfast ers verify --drill drill.json --leader ${'5e'.repeat(32)}`,
  ],
  run: async (input) => {
    const nonce = readNonce(input.text('nonce'));
    const leaders = readLeaders(input);
    const parts = [
      await verifyShares(input),
      await verifyManifests(input),
      await verifyBackups(input, input.texts('drill').length > 0 ? undefined : nonce),
      await verifyDrills(input, leaders, nonce),
    ].filter((part) => part !== undefined);
    if (parts.length === 0)
      throw new UsageError('nothing to verify: --share, --ask, --custodians, --backup or --drill');
    return {
      ok: true,
      text: parts.map(({ text }) => text).join('\n'),
      data: Object.assign({}, ...parts.map(({ data }) => data)) as unknown,
    };
  },
};

interface Part {
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>>;
}

async function verifyShares(input: CommandInput): Promise<Part | undefined> {
  const custodians = await readCustodians(input);
  const { words, shares } = await readShares(input, custodians);
  if (words.length === 0) return undefined;
  const enough = new Set(shares.map(({ share }) => share)).size >= (shares[0]?.threshold ?? Infinity);
  // The key is joined for its public half, and let go at once.
  const joined =
    enough && custodians !== undefined ? joinRecoveryKey(words, custodians.publicKey) : undefined;
  const lines = shares.map(
    ({ share, threshold, name }) =>
      `share ${share}${name === null ? '' : ` of ${name}`}: genuine, ${threshold} are needed`,
  );
  const together =
    joined === undefined ? [] : [`together they are the recovery key ${custodians?.publicKey ?? ''}`];
  return { text: [...lines, ...together].join('\n'), data: { shares, isComplete: joined !== undefined } };
}

async function verifyManifests(input: CommandInput): Promise<Part | undefined> {
  const custodians = await readCustodians(input);
  if (custodians === undefined) return undefined;
  const lines: string[] = [];
  for (const manifest of (await readManifests(input)).map((bytes) => parseVaultManifest(bytes))) {
    const { namespace, environment, node, emergencyRecovery, isCold } = manifest;
    const name = `${namespace}/${environment} ${isCold ? 'cold ' : ''}node ${node}`;
    if (emergencyRecovery.publicKey !== custodians.publicKey)
      throw new RecoveryCeremonyError('RECOVERY_KEY_MISMATCH', 'a manifest names another recovery key', {
        node: name,
        expected: custodians.publicKey,
        actual: emergencyRecovery.publicKey,
      });
    lines.push(`${name}: its manifest names this recovery key`);
  }
  const { publicKey, threshold, custodians: list } = custodians;
  const head = `recovery key ${publicKey}: ${threshold} of ${list.map(({ name }) => name).join(', ')}`;
  return { text: [head, ...lines].join('\n'), data: { publicKey, manifests: lines.length } };
}

async function verifyBackups(input: CommandInput, nonce: string | undefined): Promise<Part | undefined> {
  const backups = await readBackups(input, nonce);
  if (backups.length === 0) return undefined;
  const coverage = describeCoverage(backups);
  const epochs = coverage.epochs.map(
    ({ key, epoch, participants, threshold, isRecoverable, isSuperseded, publicKey }) =>
      `${key} epoch ${epoch}: shares of ${participants.join(', ')}, ${threshold} are needed: ${isRecoverable ? 'RECOVERABLE' : 'too few'}${isSuperseded ? ', superseded by a newer epoch' : ''}\n    public key ${publicKey}`,
  );
  const whole = coverage.whole.map(({ key, type, node }) => `${key} (${type}) of node ${node}: whole`);
  return {
    text: [
      ...backups.map((backup) => `${backup.kind === 'cold' ? 'signed' : 'proven'}: ${nameBackup(backup)}`),
      ...epochs,
      ...whole,
    ].join('\n'),
    data: {
      backups: backups.map(({ kind, statement, digest }) => ({
        kind,
        node: statement.node.index,
        key: statement.key,
        statement: digest,
        time: statement.time,
      })),
      coverage,
    },
  };
}

async function verifyDrills(
  input: CommandInput,
  leaders: readonly string[],
  nonce: string | undefined,
): Promise<Part | undefined> {
  const paths = input.texts('drill');
  if (paths.length === 0) return undefined;
  if (leaders.length === 0) throw new UsageError('--leader is needed: who may lead drills');
  const backups = await readBackups(input);
  const drills = [];
  for (const path of paths) {
    const bytes = await readInput(path, input.io, MAX_DRILL_BYTES);
    drills.push(
      inFile(path, () => {
        const verified = verifyDrill(bytes, leaders);
        if (nonce !== undefined) assertDrillFor(verified.drill, nonce);
        if (backups.length > 0) assertDrillOf(verified.drill, backups);
        return verified;
      }),
    );
  }
  const lines = drills.map(
    ({ drill: { time, proven, custodians, vault, backups: read }, signer }) =>
      `drill of ${vault.namespace}/${vault.environment} at ${time} by ${signer}: ${proven
        .filter(({ signature }) => signature !== null)
        .map(({ key, publicKey }) => `${key} (public key ${publicKey ?? ''})`)
        .join(
          ', ',
        )} proven, by custodians ${custodians.map(({ share, name }) => name ?? String(share)).join(', ')}${noteCold(read)}`,
  );
  const alone = 'by itself a record proves keys of its own choosing: compare them, or give the backups';
  return { text: [...lines, ...(backups.length > 0 ? [] : [alone])].join('\n'), data: { drills } };
}

/** Notes which backups of a drill were of cold nodes. */
function noteCold(backups: readonly { readonly key: string; readonly cold?: true | undefined }[]): string {
  const keys = backups.filter(({ cold }) => cold === true).map(({ key }) => key);
  return keys.length === 0 ? '' : `; ${keys.join(', ')} from COLD nodes, WHICH NOTHING ATTESTS`;
}

function readNonce(text: string | undefined): string | undefined {
  if (text !== undefined && !/^(?:[0-9a-f]{2}){16,64}$/.test(text))
    throw new UsageError('--nonce is 16 to 64 bytes in lower-case hex');
  return text;
}

/** Reads who may lead drills. @throws UsageError */
export function readLeaders({ texts }: CommandInput): readonly string[] {
  const keys = texts('leader');
  if (keys.some((key) => !HEX_KEY.test(key)))
    throw new UsageError('--leader is an Ed25519 public key: 64 hex digits');
  return keys;
}
