import { hash, type KeyObject, randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { unlockStore } from '../enclave/boot/unlock-store.ts';
import { type Curves, createNativeCurves } from '../enclave/keys/index.ts';
import { Keyring } from '../enclave/keyring/index.ts';
import { appendBootEntry, TransparencyLog } from '../enclave/log/index.ts';
import { admitConfiguration, assertCurrent } from '../enclave/node/configuration.ts';
import { logOrigin, type MeasuredManifest } from '../enclave/node/manifest.ts';
import type { NodeKeys } from '../enclave/node/node-keys.ts';
import { BackupRegister } from '../enclave/recovery/index.ts';
import {
  createDecisionLog,
  createSigningPipeline,
  type DecisionLog,
  type DecisionState,
  restoreDecisionState,
  type SigningPipeline,
} from '../enclave/signing/index.ts';
import { type ColdIdentity, ColdError, createColdIdentity } from '../shared/cold/index.ts';
import { parseColdManifest, toNodeManifest } from '../shared/documents/cold-manifest.ts';
import { openConfiguration, type SignedConfiguration } from '../shared/documents/configuration.ts';
import { digestManifest } from '../shared/documents/manifest.ts';
import { createEnvelope, signEnvelope } from '../shared/dsse/index.ts';
import { COLD_BACKUP_PAYLOAD_TYPE } from '../shared/recovery/index.ts';
import { loadNative } from '../shared/native/addon.ts';
import { assertFit } from './configuration.ts';
import { ColdMemory } from './memory.ts';
import { createPassphraseSource, type PassphraseCost } from './passphrase.ts';
import { type ColdStorage, openColdStorage } from './storage.ts';

/** Files of a cold node in its folder: sealed records, the log, responses. Nothing of it is readable but the log. */
const RECORDS = 'records.sqlite';
const LOG = 'log';

export interface ColdNodeOptions {
  /** Folder of the node. */
  readonly folder: string;
  /** Bytes of the manifest and of the signed configuration. */
  readonly manifest: Uint8Array;
  readonly configuration: Uint8Array;
  /** The caller clears it. */
  readonly passphrase: Uint8Array;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Makes the node, which the configuration has to order; a folder that has one is refused. */
  readonly isNew?: boolean;
  readonly cost?: PassphraseCost;
}

/** A cold node that is open: its store, keys, log and decisions. */
export interface ColdNode {
  readonly measured: MeasuredManifest;
  readonly signed: SignedConfiguration;
  readonly nodeKeys: NodeKeys;
  readonly pipeline: SigningPipeline;
  readonly decisionLog: DecisionLog;
  readonly state: DecisionState;
  readonly memory: ColdMemory;
  readonly log: TransparencyLog;
  readonly now: () => number;
  /** Proves that the tree of one size continues that of a smaller one: hashes of RFC 6962, 2.1.2. */
  proveConsistency(older: number, newer: number): Promise<readonly Uint8Array[]>;
  /** Makes the document that the node is known by. */
  identity(): Uint8Array<ArrayBuffer>;
  close(): Promise<void>;
}

/**
 * Opens a cold node: verifies configuration and clock, opens the store by the passphrase, and appends the boot entry. It
 * is the same store, keyring, pipeline and log as in an enclave, on a machine that nothing attests.
 *
 * @throws ManifestError; ConfigurationError; BootError; StoreError; ColdError
 */
export async function openColdNode(options: ColdNodeOptions): Promise<ColdNode> {
  const { folder, now, isNew = false } = options;
  const manifest = parseColdManifest(options.manifest);
  const measured: MeasuredManifest = {
    manifest: toNodeManifest(manifest),
    digest: digestManifest(options.manifest),
  };
  const signed = openConfiguration(options.configuration, measured);
  assertFit(signed.configuration);
  assertCurrent(signed.configuration, now());
  await assertFolder(folder, isNew);
  const storage = await openColdStorage(join(folder, RECORDS), join(folder, LOG));
  try {
    return await openParts({ ...options, storage, measured, signed });
  } catch (error) {
    await storage.close();
    throw error;
  }
}

/** @throws ColdError COLD_NODE_EXISTS, COLD_NODE_MISSING */
async function assertFolder(folder: string, isNew: boolean): Promise<void> {
  const exists = await readFile(join(folder, RECORDS)).then(
    () => true,
    () => false,
  );
  if (isNew && exists) throw new ColdError('COLD_NODE_EXISTS', 'the folder has a node already', { folder });
  if (!isNew && !exists) throw new ColdError('COLD_NODE_MISSING', 'the folder has no node', { folder });
  await mkdir(folder, { recursive: true, mode: 0o700 });
}

interface OpenParts extends ColdNodeOptions {
  readonly storage: ColdStorage;
  readonly measured: MeasuredManifest;
  readonly signed: SignedConfiguration;
}

async function openParts({
  storage,
  measured,
  signed,
  passphrase,
  cost,
  ...rest
}: OpenParts): Promise<ColdNode> {
  const { configuration } = signed;
  const { namespace, environment, node } = measured.manifest;
  const { store, nodeKeys } = await unlockStore({
    storage: storage.storage,
    passwords: createPassphraseSource(passphrase, [namespace, environment, node], cost),
    manifest: measured.manifest,
    configuration,
    now: rest.now(),
  });
  const memory = await ColdMemory.restore(store);
  memory.takeTime(rest.now());
  const now = () => memory.advance(rest.now());
  assertCurrent(configuration, now());
  const admitted = admitConfiguration(store.state, signed);
  const session = randomBytes(16).toString('hex');
  const boot = appendBootEntry({ store, measured, signed, session, now: now(), entropy: randomBytes(32) });
  const curves: Curves = createNativeCurves(loadNative());
  const keyring = await Keyring.open(store, curves, configuration.keys, admitted, configuration.drop, boot);
  let log: TransparencyLog | undefined;
  try {
    const state = await restoreDecisionState(store, { signed, measured, now });
    const origin = logOrigin(measured.manifest);
    const key = nodeKeys.log;
    log = new TransparencyLog({ store, origin, key, client: storage.logClient, witnesses: null });
    const register = await BackupRegister.restore(store, measured.manifest.emergencyRecovery.publicKey);
    for (const source of [...state.sources, memory, register]) log.addSource(source);
    // The time of a start is sealed though nobody asks for anything.
    await log.seal();
    const decisionLog = createDecisionLog({
      log,
      receiptKey: nodeKeys.receipt,
      measured,
      signed,
      session,
      now,
    });
    const pipeline = createSigningPipeline({
      signed,
      measured,
      keyring,
      session,
      clocks: { now, monotonic: () => performance.now() },
      log: decisionLog,
      state,
      recovery: {
        register,
        attest: ({ userData }) => Promise.resolve(signBackup(userData, nodeKeys.receipt.privateKey)),
        log,
      },
    });
    const opened = log;
    return {
      measured,
      signed,
      nodeKeys,
      pipeline,
      decisionLog,
      state,
      memory,
      log: opened,
      now,
      proveConsistency: storage.proveConsistency,
      identity: () =>
        createColdIdentity(
          describeIdentity({ measured, signed, nodeKeys, log: opened, pipeline }),
          nodeKeys.receipt.privateKey,
        ),
      close: async () => {
        opened.close();
        keyring.destroy();
        await storage.close();
      },
    };
  } catch (error) {
    log?.close();
    keyring.destroy();
    throw error;
  }
}

/** Signs what an enclave has attested to: the digest of a backup's statement, which holds the nonce. */
function signBackup(proof: Uint8Array, receiptKey: KeyObject): Uint8Array {
  const envelope = signEnvelope(createEnvelope(COLD_BACKUP_PAYLOAD_TYPE, proof), receiptKey);
  return Buffer.from(JSON.stringify(envelope));
}

function describeIdentity({
  measured,
  signed,
  nodeKeys,
  log,
  pipeline,
}: Pick<ColdNode, 'measured' | 'signed' | 'nodeKeys' | 'log' | 'pipeline'>): ColdIdentity {
  return {
    format: 'holdfast-cold-identity/1',
    manifest: Buffer.from(measured.digest).toString('hex'),
    receiptKey: Buffer.from(nodeKeys.receipt.publicKey).toString('hex'),
    log: { origin: log.origin, key: log.vkey },
    keys: pipeline.listKeys(),
    configuration: signed.configuration.version,
  };
}

/** Computes what people compare of an identity: SHA-256 of its bytes, in groups of four hex digits. */
export function fingerprintIdentity(identity: Uint8Array): string {
  return hash('sha256', identity, 'hex').replaceAll(/(.{4})(?!$)/g, '$1 ');
}
