import { join } from 'node:path';
import { computeManifestPcr, MANIFEST_PCR, verifyAttestationDocument } from '../../attestation/index.ts';
import {
  assertEnoughShares,
  assertOneKey,
  clearShares,
  formatKeyImport,
  holdPrivateKey,
  joinKey,
  joinRecoveryKey,
  openEntry,
  RecoveryCeremonyError,
  recoverShares,
} from '../../admin/recovery/index.ts';
import type { VerifiedBackup } from '../../audit/recovery/index.ts';
import { sealKey } from '../../client/index.ts';
import { nodeBindingSchema } from '../../shared/api/bodies.ts';
import { digestManifest, type Manifest } from '../../shared/documents/manifest.ts';
import { JsonError, parseJson } from '../../shared/json/index.ts';
import { encodePublicKey } from '../../shared/public-keys.ts';
import { type Command, type CommandInput, type Outcome, readInput, UsageError } from '../common/command.ts';
import { readDocumentFile } from '../common/document-file.ts';
import { inFile } from '../common/in-file.ts';
import { readManifestFile } from '../common/manifest-file.ts';
import { assertWritable, writeOutput, writeOutputs } from '../common/output-file.ts';
import { readPcrFile, readRootFile } from '../common/trust-files.ts';
import { BACKUP_OPTIONS, nameBackup, readBackups, readCustodians, recoveryKeyOf } from './backups.ts';
import { readShares, SHARE_OPTIONS } from './shares.ts';

const FILES =
  '--backup node-1.treasury.json --backup node-2.treasury.json --pcrs pcr.json --manifest node-1/manifest.json --manifest node-2/manifest.json --ask 2';

export const recoverCommand: Command = {
  name: 'ers recover',
  summary:
    'Recover a key on an offline machine from backups and custodians: into a file, or encrypted for a new node that will split it among its quorum.',
  positionals: 'KEY...',
  options: {
    ...BACKUP_OPTIONS,
    ...SHARE_OPTIONS,
    epoch: {
      type: 'string',
      value: 'N',
      description: 'the epoch (default: the newest that has enough shares)',
    },
    'public-key': {
      type: 'string',
      value: 'HEX',
      description: 'the key that is meant, where backups hold several under one name (ers verify shows them)',
    },
    custodians: {
      type: 'string',
      value: 'FILE',
      description: 'custodians.json, which names whoever gives a wrong share',
    },
    'import-for': {
      type: 'string',
      value: 'DOC',
      description: 'attestation document of the new node (node attest --output): encrypt the key for it',
    },
    'import-manifest': { type: 'string', value: 'FILE', description: 'manifest of the new node' },
    'import-pcrs': { type: 'string', value: 'FILE', description: 'pcr.json of the new node' },
    'import-root': {
      type: 'string',
      value: 'FILE',
      description: "the root of the new node's document (default: that of --root)",
    },
    'import-authority': {
      type: 'string',
      value: 'HEX',
      multiple: true,
      description:
        'public key of an authority that may rule the new node, as its owner has read it out: its manifest may name no other (repeat)',
    },
    'import-as': {
      type: 'string',
      value: 'ID',
      description: "the key's id in the new node's configuration (default: the same)",
    },
    output: {
      type: 'string',
      value: 'FILE',
      required: true,
      description:
        'write the key, or the import, there; of several keys: the folder for KEY.import or KEY.key',
    },
  },
  examples: [
    `holdfast ers recover treasury ${FILES} --import-for new.attestation --import-manifest new/manifest.json --import-pcrs pcr.json --import-authority ${'5e'.repeat(32)} --output treasury.import`,
    `holdfast ers recover treasury reserve ${FILES} --import-for new.attestation --import-manifest new/manifest.json --import-pcrs pcr.json --import-authority ${'5e'.repeat(32)} --output new`,
    `holdfast ers recover treasury ${FILES} --output treasury.key`,
  ],
  run: async (input) => {
    const keys = input.positionals;
    const output = input.text('output') ?? '';
    const asked = readAsked(input, keys);
    const backups = await readBackups(input);
    const expected = recoveryKeyOf(backups);
    const target = await readTarget(input);
    const isOne = keys.length === 1;
    const pathOf = (key: string) =>
      isOne ? output : join(output, `${key}.${target === undefined ? 'key' : 'import'}`);
    // What would be in the way is found before the custodians give their shares.
    for (const key of keys) {
      await assertWritable(pathOf(key));
      assertRecoverable(key, { backups, target, ...asked });
    }
    const custodians = await readCustodians(input, expected);
    const { words } = await readShares(input, custodians);
    const recoveryKey = joinRecoveryKey(words, expected);
    const recovered = keys.map((key) =>
      recoverOne(key, pathOf(key), { backups, recoveryKey, target, ...asked }),
    );
    const files = recovered.map(({ output: path, content, mode }) => ({ path, content, mode }));
    const [file] = files;
    // One key may be written to a pipe.
    if (isOne && file !== undefined) await writeOutput(file.path, file.content, { mode: file.mode });
    else await writeOutputs(files);
    const described = recovered.map(describe);
    const [only] = described;
    if (isOne && only !== undefined) return only;
    return {
      ok: true,
      text: described.map(({ text }) => text).join('\n'),
      data: { recovered: described.map(({ data }) => data) },
    };
  },
};

/** What of the options is about one key alone. @throws UsageError */
function readAsked(
  { text }: CommandInput,
  keys: readonly string[],
): {
  readonly epoch: number | undefined;
  readonly publicKey: string | undefined;
  readonly as: string | undefined;
} {
  const asked = {
    epoch: readEpoch(text('epoch')),
    publicKey: readPublicKey(text('public-key')),
    as: text('import-as'),
  };
  if (new Set(keys).size < keys.length) throw new UsageError('a KEY is given twice');
  // A key is the name of a file, and ids have no others.
  if (keys.length > 1 && keys.some((key) => !/^[A-Za-z0-9][\w.-]*$/.test(key)))
    throw new UsageError('KEY is the id of a key');
  if (keys.length > 1 && Object.values(asked).some((value) => value !== undefined))
    throw new UsageError('--epoch, --public-key and --import-as are about one key: recover that one alone');
  return asked;
}

/** Whose keys are recovered, and for whom. */
interface Wanted extends ReturnType<typeof readAsked> {
  readonly backups: readonly VerifiedBackup[];
  readonly target: Awaited<ReturnType<typeof readTarget>>;
}

interface Sources extends Wanted {
  readonly recoveryKey: ReturnType<typeof joinRecoveryKey>;
}

/** Key that was recovered, and its file. */
interface Recovered {
  readonly output: string;
  readonly content: string;
  readonly mode: number;
  readonly key: string;
  readonly publicKey: string | null;
  readonly epoch: number | null;
  readonly ruledBy?: string | undefined;
  readonly from?: VerifiedBackup;
}

/**
 * Asserts that the backups are enough to recover a key, by what they say of it.
 *
 * @throws RecoveryCeremonyError BACKUP_KEY_ABSENT, BACKUP_KEYS_DIFFER, BACKUP_SHARES_TOO_FEW, …, KEY_NOT_IMPORTABLE
 */
function assertRecoverable(key: string, { backups, target, epoch, publicKey }: Wanted): void {
  if (findWhole(backups, key, publicKey) === undefined)
    assertEnoughShares(backups, key, { epoch, publicKey });
  else if (target !== undefined)
    throw new RecoveryCeremonyError('KEY_NOT_IMPORTABLE', 'a node takes up a shared key alone', { key });
}

/** Recovers a key, and makes the content of its file. Nothing is written. */
function recoverOne(
  key: string,
  output: string,
  { backups, recoveryKey, target, epoch, publicKey: publicWanted, as = key }: Sources,
): Recovered {
  const whole = findWhole(backups, key, publicWanted);
  if (whole !== undefined) {
    const wholeSecret = openEntry(whole.backup, whole.sealed, recoveryKey);
    try {
      const content = formatWhole(whole.sealed.entry, wholeSecret);
      const { publicKey } = whole.sealed.entry;
      return { output, content, mode: 0o600, key, publicKey, epoch: null, from: whole.backup };
    } finally {
      wholeSecret.fill(0);
    }
  }
  const recovered = recoverShares(backups, recoveryKey, key, { epoch, publicKey: publicWanted });
  const { type, group } = recovered;
  const publicKey = group.commitments[0] ?? new Uint8Array();
  const found = { output, key, publicKey: Buffer.from(publicKey).toString('hex'), epoch: group.epoch };
  let secret: Uint8Array | undefined;
  try {
    secret = joinKey(recovered);
    if (target === undefined)
      return { ...found, content: `${Buffer.from(secret).toString('hex')}\n`, mode: 0o600 };
    const { importKey, manifest, session, ruledBy } = target;
    const request = sealKey(secret, { type, publicKey }, importKey, { manifest, session, key: as });
    return { ...found, content: formatKeyImport({ key: as, request }), mode: 0o644, ruledBy };
  } finally {
    secret?.fill(0);
    clearShares(recovered);
  }
}

function describe({ output, key, publicKey, epoch, ruledBy, from }: Recovered): Outcome {
  const next =
    ruledBy !== undefined
      ? `encrypted for one boot of ${ruledBy}\n  next: holdfast quorum keys import ${output}`
      : 'THE WHOLE SECRET KEY: whoever reads the file signs alone';
  return {
    ok: true,
    text: `${output}: ${key}${epoch === null ? '' : `, epoch ${epoch}`}, ${next}\n  public key ${publicKey ?? 'none'}${from?.kind === 'cold' ? `\n  from the backup of ${nameBackup(from)}` : ''}`,
    data: { output, key, epoch, publicKey, isImport: ruledBy !== undefined, kind: from?.kind ?? 'attested' },
  };
}

/** Finds the whole key of an id: nodes have keys of their own under one name. @throws RecoveryCeremonyError BACKUP_KEYS_DIFFER */
function findWhole(backups: readonly VerifiedBackup[], key: string, publicKey: string | undefined) {
  const found = backups.flatMap((backup) =>
    backup.entries.flatMap(({ entry, ciphertext }) =>
      entry.kind !== 'share' && entry.id === key && (publicKey === undefined || entry.publicKey === publicKey)
        ? [{ backup, sealed: { entry, ciphertext } }]
        : [],
    ),
  );
  assertOneKey(
    key,
    found.map(({ sealed }) => sealed.entry.publicKey),
  );
  return found[0];
}

type Whole = NonNullable<ReturnType<typeof findWhole>>['sealed']['entry'];

function readPublicKey(text: string | undefined): string | undefined {
  if (text !== undefined && !/^(?:[0-9a-f]{2}){32,1024}$/.test(text))
    throw new UsageError('--public-key is in lower-case hex, as ers verify shows it');
  return text;
}

/** Writes a whole key as PKCS #8 in PEM where that has a form for it; of BLS and symmetric keys as hex. */
function formatWhole(entry: Whole, secret: Uint8Array): string {
  const { type, kind, publicKey } = entry;
  if (publicKey === null || type === 'bls12-381') return `${Buffer.from(secret).toString('hex')}\n`;
  const bytes = Buffer.from(publicKey, 'hex');
  const spki = kind === 'pool-key' ? bytes : encodePublicKey({ type, publicKey: bytes });
  return holdPrivateKey(type, secret, spki).export({ format: 'pem', type: 'pkcs8' });
}

function readEpoch(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^(?:0|[1-9][0-9]{0,9})$/.test(text)) throw new UsageError('--epoch is a number');
  return Number(text);
}

/** Reads and verifies the new node: its document binds an import key, of one boot of one measured manifest. */
async function readTarget(input: CommandInput) {
  const { text, io } = input;
  const path = text('import-for');
  const [manifestPath, pcrsPath] = [text('import-manifest'), text('import-pcrs')];
  const authorities = input.texts('import-authority');
  if (path === undefined) {
    if (manifestPath === undefined && pcrsPath === undefined && authorities.length === 0) return undefined;
    throw new UsageError(
      '--import-for is needed with --import-manifest, --import-pcrs and --import-authority',
    );
  }
  if (manifestPath === undefined || pcrsPath === undefined || authorities.length === 0)
    throw new UsageError('--import-for needs --import-manifest, --import-pcrs and --import-authority');
  const document = await readDocumentFile(path, io);
  const { manifest } = await readManifestFile(manifestPath, io);
  const manifestBytes = await readInput(manifestPath, io);
  inFile(manifestPath, () => assertTarget(manifest, authorities));
  const pcrs = new Map([
    ...(await readPcrFile(pcrsPath, io)),
    [MANIFEST_PCR, computeManifestPcr(manifestBytes)],
  ]);
  const root = await readRootFile(text('import-root') ?? text('root'), io);
  const verified = inFile(path, () => verifyAttestationDocument(document, { root, at: 'document', pcrs }));
  const { importKey, session } = inFile(path, () => parseBinding(verified.userData ?? new Uint8Array()));
  return {
    importKey: Buffer.from(importKey, 'hex'),
    session,
    manifest: digestManifest(manifestBytes),
    ruledBy: describeTarget(manifest),
  };
}

/**
 * Asserts that the new node is one that is meant. A genuine image in anybody's account attests to anybody's manifest, which
 * may name the recovery key of the lost vault, too: those whom it names as authorities have the key afterwards.
 *
 * @param authorities Ed25519 public keys in hex that somebody has named, as their owners have read them out
 * @throws RecoveryCeremonyError IMPORT_TARGET_UNKNOWN
 */
function assertTarget({ configurationAuthority }: Manifest, authorities: readonly string[]): void {
  const strangers = configurationAuthority.keys.filter((one) => !authorities.includes(one));
  if (strangers.length === 0) return;
  throw new RecoveryCeremonyError(
    'IMPORT_TARGET_UNKNOWN',
    'authorities of the new node are none of those that were named',
    { strangers },
  );
}

/** Describes who rules a node, and has whatever key it takes up. */
function describeTarget({ namespace, environment, node, kms, configurationAuthority }: Manifest): string {
  const { threshold, keys } = configurationAuthority;
  return `${namespace}/${environment} node ${node}, KMS key ${kms.keyArn}\n  ruled by ${threshold} of ${keys.join(', ')}: they have the key from then on`;
}

/** @throws RecoveryCeremonyError IMPORT_TARGET_INVALID */
function parseBinding(userData: Uint8Array) {
  let value: unknown;
  try {
    value = parseJson(userData, { maxBytes: 1024, maxDepth: 3 });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
  }
  const parsed = nodeBindingSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new RecoveryCeremonyError('IMPORT_TARGET_INVALID', 'the document binds no import key');
}
