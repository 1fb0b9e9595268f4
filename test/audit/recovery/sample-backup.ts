import { createNsmClient } from '../../../enclave/nsm/index.ts';
import { sealBackup } from '../../../enclave/recovery/index.ts';
import { EmulatedNsm, NitroRoot } from '../../../local/nsm/index.ts';
import type { ShareType } from '../../../shared/algorithms.ts';
import { digestManifest } from '../../../shared/documents/manifest.ts';
import { decodeGroup, digestShareGroup, nobleSuites } from '../../../shared/frost/index.ts';
import { dealShares, type DealtGroup } from '../../../client/index.ts';
import {
  type BackupHead,
  encodeBackup,
  encodeBackupProof,
  type PublicEntry,
  STATEMENT_FORMAT,
} from '../../../shared/recovery/index.ts';
import { makeManifest } from '../../cli/node-files.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Root of the documents, and the image that they are of. */
export const ROOT = await NitroRoot.create(Date.now());
export const PCRS = new Map([0, 1, 2].map((index) => [index, new Uint8Array(48).fill(index + 1)]));
export const NONCE = '0a'.repeat(32);

/** A vault of n nodes that share one key of two: a new one, or that of a secret. */
export function dealSample(type: ShareType = 'frost-ed25519', epoch = 0, secret?: Uint8Array): DealtGroup {
  const dealt = dealShares({ type, threshold: 2, participants: 3 }, secret);
  const group = { ...dealt.group, epoch };
  return { ...dealt, group, commitments: digestShareGroup(group) };
}

/** Makes the manifest of a node of a sample vault. */
export function sampleManifest(node: number, recoveryKey: string, namespace = 'acme'): Uint8Array {
  const { text } = makeManifest(['11'.repeat(32)], { node, namespace, quorum: { size: 3, threshold: 2 } });
  const manifest = JSON.parse(text) as object;
  return Buffer.from(JSON.stringify({ ...manifest, emergencyRecovery: { publicKey: recoveryKey } }));
}

/** What a sample says otherwise than an honest node. */
export interface SampleChanges {
  readonly head?: Partial<BackupHead>;
  readonly entry?: Partial<Extract<PublicEntry, { kind: 'share' }>>;
  readonly secret?: Uint8Array;
  /** Image of the document. */
  readonly pcrs?: ReadonlyMap<number, Uint8Array>;
  readonly userData?: Uint8Array;
  readonly publicKey?: Uint8Array;
}

/** Makes the backup of a node's share as the enclave does, attested by the stand-in NSM. */
export async function makeSampleBackup(
  { group, shares }: DealtGroup,
  node: number,
  manifest: Uint8Array,
  changes: SampleChanges = {},
): Promise<Uint8Array> {
  const parsed = JSON.parse(Buffer.from(manifest).toString()) as {
    namespace: string;
    environment: string;
    node: number;
    emergencyRecovery: { publicKey: string };
  };
  const suite = nobleSuites[group.type];
  const share = shares.find(({ participant }) => participant === node);
  if (share === undefined) throw new Error('expected a share of the node');
  const head: BackupHead = {
    format: STATEMENT_FORMAT,
    node: {
      manifest: hex(digestManifest(manifest)),
      namespace: parsed.namespace,
      environment: parsed.environment,
      index: parsed.node,
    },
    session: '0b'.repeat(16),
    recoveryKey: parsed.emergencyRecovery.publicKey,
    configuration: { version: 3, digest: '0c'.repeat(48) },
    time: '2026-11-29T12:00:00.000Z',
    log: { origin: 'holdfast.invalid/acme/production/1', size: 7 },
    nonce: NONCE,
    key: 'treasury',
    after: null,
    more: false,
    ...changes.head,
  };
  const entry: PublicEntry = {
    kind: 'share',
    id: 'treasury',
    type: group.type,
    state: 'current',
    epoch: group.epoch,
    threshold: group.threshold,
    signers: [...group.signers],
    participant: node,
    commitments: group.commitments.map(hex),
    verifyingShare: hex(suite.group.encode(decodeGroup(suite, group).verifyingShare(node))),
    group: digestShareGroup(group),
    ...changes.entry,
  };
  const secret = changes.secret ?? share.secret;
  const sealed = sealBackup(head, { secrets: [{ entry, withSecret: (use) => use(secret) }] });
  const document = await attest(manifest, sealed.statement, changes);
  return encodeBackup({
    statementBytes: sealed.statement,
    document,
    ciphertexts: sealed.ciphertexts,
    receipt: undefined,
  });
}

async function attest(
  manifest: Uint8Array,
  statement: Uint8Array,
  changes: SampleChanges,
): Promise<Uint8Array> {
  const instanceId = 'i-0123456789abcdef0';
  const device = new EmulatedNsm({
    root: ROOT,
    instanceId,
    moduleId: `${instanceId}-enc0123456789abcdef`,
    measured: changes.pcrs ?? PCRS,
    clock: Date.now,
  });
  const nsm = createNsmClient(device);
  await nsm.extendPcr(16, digestManifest(manifest));
  await nsm.lockPcr(16);
  return await nsm.attest({
    nonce: Buffer.from(NONCE, 'hex'),
    userData: changes.userData ?? encodeBackupProof(statement),
    ...(changes.publicKey === undefined ? {} : { publicKey: changes.publicKey }),
  });
}
