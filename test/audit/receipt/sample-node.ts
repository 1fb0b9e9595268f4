import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import {
  appendLeaves,
  EMPTY_FRONTIER,
  formatTlogProof,
  formatVerifierKey,
  frontierRoot,
  hashLeaf,
  signCheckpoint,
} from '../../../audit/log/index.ts';
import { cosignCheckpoint } from '../../../audit/log/cosignature.ts';
import { signingKeyFromSeed } from '../../../audit/log/node-signatures.ts';
import {
  createDecisionEntry,
  createReceipt,
  type DecisionPredicate,
  encodeEntry,
  encodeReceiptPae,
  type Receipt,
  type RecordedApproval,
} from '../../../audit/receipt/index.ts';
import { createNsmClient } from '../../../enclave/nsm/index.ts';
import { EmulatedNsm, NitroRoot } from '../../../local/nsm/index.ts';
import { type Approval, type ApprovalStatement, encodeStatement } from '../../../policy/approvals/index.ts';
import { digestRequest } from '../../../shared/api/request-digest.ts';
import {
  CONFIGURATION_PAYLOAD_TYPE,
  type ConfigurationDocument2,
} from '../../../shared/documents/configuration.ts';
import { digestManifest } from '../../../shared/documents/manifest.ts';
import { createEnvelope, ed25519PublicKeyHex, signEnvelope } from '../../../shared/dsse/index.ts';
import { makeManifest } from '../../cli/node-files.ts';
import { KeyHolder, PasskeyHolder } from '../../policy/approvals/people.ts';
import { makeConfiguration2, permit } from '../../shared/documents/sample-rules.ts';
import { DECISION } from './samples.ts';

const INSTANCE = 'i-0123456789abcdef0';
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const seedOf = (name: string) => createHash('sha256').update(name).digest();

export const root = await NitroRoot.create(Date.now());
export const PCRS = new Map([0, 1, 2].map((index) => [index, new Uint8Array(48).fill(index + 1)]));
export const ORIGIN = 'holdfast.invalid/acme/production/2';
export const SESSION = '0b'.repeat(16);
export const EXPIRES = Date.parse('2026-11-30T00:00:00.000Z');
export const PENDING_ID = '0e'.repeat(16);

const authority = generateKeyPairSync('ed25519');
export const receiptPair = generateKeyPairSync('ed25519');
export const receiptKey = ed25519PublicKeyHex(receiptPair.publicKey);
export const logKey = signingKeyFromSeed(ORIGIN, 'ed25519', seedOf('log'));
export const witnesses = ['one', 'two', 'three'].map((name) =>
  signingKeyFromSeed(`${name}.witness.example`, 'cosignature-ed25519', seedOf(name)),
);
export const people = {
  first: new KeyHolder('first'),
  second: new PasskeyHolder('second'),
  third: new KeyHolder('third'),
};

export const { text: manifestText, digest: manifestDigest } = makeManifest([
  ed25519PublicKeyHex(authority.publicKey),
]);

/** A configuration with three approvers and three witnesses, of whom two must cosign. */
export function makeConfiguration(changes: Partial<ConfigurationDocument2> = {}): ConfigurationDocument2 {
  return makeConfiguration2({
    version: 4,
    manifest: manifestDigest,
    clients: [{ id: 'backend', publicKey: '01'.repeat(32), person: 'third' }],
    clientGroups: [],
    keys: [{ id: 'hot', type: 'ed25519', networks: ['solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp'] }],
    approvers: Object.values(people).map(
      ({ entry }) => structuredClone(entry) as ConfigurationDocument2['approvers'][number],
    ),
    approverGroups: [],
    addressBooks: [],
    witnesses: {
      threshold: 2,
      keys: witnesses.map(({ key }) => formatVerifierKey(key)),
      maxUncosignedSeconds: 0,
    },
    rules: [permit({ algorithms: ['ed25519'], payloads: ['solana-transaction'], networks: null })],
    ...changes,
  });
}

/** The signed configuration as a file, and the digest of what was signed. */
export function signConfiguration(document: ConfigurationDocument2) {
  const bytes = Buffer.from(JSON.stringify(document));
  const envelope = signEnvelope(createEnvelope(CONFIGURATION_PAYLOAD_TYPE, bytes), authority.privateKey);
  return { file: JSON.stringify(envelope), digest: createHash('sha384').update(bytes).digest('hex') };
}
export const configuration = signConfiguration(makeConfiguration());

/** The document of a node with these keys, and user_data in place of the true one. */
export async function attest(changes: Record<string, unknown> = {}, pcrs = PCRS): Promise<Uint8Array> {
  const device = new EmulatedNsm({
    root,
    instanceId: INSTANCE,
    moduleId: `${INSTANCE}-enc0123456789abcdef`,
    measured: pcrs,
    clock: Date.now,
  });
  const nsm = createNsmClient(device);
  await nsm.extendPcr(16, digestManifest(Buffer.from(manifestText)));
  await nsm.lockPcr(16);
  const binding = {
    format: 'holdfast-node/2',
    session: SESSION,
    configuration: 4,
    importKey: '44'.repeat(32),
    log: { origin: ORIGIN, key: formatVerifierKey(logKey.key) },
    receiptKey,
    witnesses: { threshold: 2, of: 3 },
    ...changes,
  };
  return nsm.attest({ userData: Buffer.from(JSON.stringify(binding)) });
}

export const REQUEST = {
  operation: 'sign',
  client: 'backend',
  key: 'hot',
  algorithm: 'ed25519',
  payload: { kind: 'solana-transaction', message: '01' },
} as const;
export const requestDigest = Buffer.from(digestRequest(REQUEST)).toString('hex');
export const SIGNATURE = Buffer.alloc(64, 5);

/** A person's statement about the request of the sample, with members in place of the true ones. */
export function statementOf(approver: string, changes: Record<string, unknown> = {}): Uint8Array {
  const statement: ApprovalStatement = {
    format: 'holdfast-approval/1',
    decision: 'approve',
    request: { id: PENDING_ID, digest: requestDigest },
    manifest: manifestDigest,
    configuration: { version: 4, digest: configuration.digest },
    rule: 'transfers',
    approver,
    expires: EXPIRES,
    ...changes,
  };
  return encodeStatement(statement);
}

/** Writes a vote as an entry has it. */
export function record(approver: string, { statement, proof }: Approval): RecordedApproval {
  const { decision } = JSON.parse(Buffer.from(statement).toString()) as Pick<RecordedApproval, 'decision'>;
  const signature = base64(proof.signature);
  return {
    approver,
    decision,
    statement: base64(statement),
    proof:
      proof.type === 'ed25519'
        ? { type: proof.type, publicKey: proof.publicKey, signature }
        : {
            type: proof.type,
            credentialId: proof.credentialId,
            authenticatorData: base64(proof.authenticatorData),
            clientDataJSON: base64(proof.clientDataJSON),
            signature,
          },
  };
}
export const vote = (person: KeyHolder | PasskeyHolder, changes: Record<string, unknown> = {}) =>
  record(person.id, person.sign(statementOf(person.id, changes)));

/** Decision of the sample, permitted after two people had approved. */
export function makeDecision(changes: Partial<DecisionPredicate> = {}): DecisionPredicate {
  return {
    ...DECISION,
    node: { manifest: manifestDigest, namespace: 'acme', environment: 'production', index: 2 },
    session: SESSION,
    pendingId: PENDING_ID,
    approvals: [vote(people.first), vote(people.second)],
    configuration: { version: 4, digest: configuration.digest },
    signatures: [{ index: null, publicKey: '22'.repeat(32), sha256: sha256(SIGNATURE) }],
    witnesses: { threshold: 2, of: 3 },
    ...changes,
  };
}

export interface ReceiptChanges {
  readonly decision?: Partial<DecisionPredicate>;
  readonly digest?: string;
  readonly signer?: typeof receiptPair;
  /** How many witnesses cosigned. */
  readonly cosigned?: number;
  /** Entry in the log, in place of the receipt's own. */
  readonly logged?: Uint8Array;
  /** Place in the log. */
  readonly place?: number;
  readonly hasProof?: boolean;
  readonly document?: Uint8Array;
}

/** Makes a receipt of a log with 20 entries. */
export function makeReceipt(changes: ReceiptChanges = {}): Receipt {
  const { signer = receiptPair, digest = requestDigest, hasProof = true, cosigned = 2, document } = changes;
  const predicate = makeDecision(changes.decision);
  const entry = encodeEntry(createDecisionEntry(digest, predicate));
  const place = changes.place ?? predicate.sequence;
  const leaves = Array.from({ length: 20 }, (_, index) => hashLeaf(Buffer.from(`entry ${index}`)));
  leaves[place] = hashLeaf(changes.logged ?? entry);
  const append = appendLeaves(EMPTY_FRONTIER, leaves);
  const tree = { origin: ORIGIN, size: 20, root: frontierRoot(append.frontier) };
  const { text, note } = signCheckpoint(tree, logKey);
  const lines = witnesses.slice(0, cosigned).map((witness) => cosignCheckpoint(witness, text, 1_800_000_000));
  const checkpoint = `${note}${lines.join('')}`;
  const proof = formatTlogProof({ index: place, inclusion: append.proveInclusion(place), checkpoint });
  return createReceipt(
    entry,
    {
      publicKey: ed25519PublicKeyHex(signer.publicKey),
      signature: sign(null, encodeReceiptPae(entry), signer.privateKey),
    },
    { proof: hasProof ? proof : null, ...(document === undefined ? {} : { document }) },
  );
}
