import { createHash, type KeyObject } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Plan } from '../../audit/transcript/index.ts';
import type { Ceremony, QuorumKey, QuorumStatus } from '../../shared/api/quorum.ts';
import { encodeCbor } from '../../shared/cbor/index.ts';
import type { SignedConfiguration } from '../../shared/documents/configuration.ts';
import { digestShareGroup, encodeExtendedKey } from '../../shared/frost/index.ts';
import { epochOf, publicKeyOf } from '../frost/index.ts';
import type { Keyring } from '../keyring/index.ts';
import type { MeasuredManifest } from '../node/manifest.ts';
import type { NodeKey } from '../node/node-keys.ts';
import type { PeerNetwork, PeerStatus } from '../peers/index.ts';
import type { CeremonyParts, DecisionLog, SigningPipeline } from '../signing/index.ts';
import {
  type AskedCeremony,
  CeremonyError,
  type LedOrder,
  type ConfirmedEpochs,
  startCeremonies,
} from './ceremonies/index.ts';
import type { CertificateRelay } from './certificate-relay.ts';
import { CeremonyRegister } from './ceremony-register.ts';
import { QuorumError } from './errors.ts';
import { assertOrdered, verifyOrder } from './forwarded-order.ts';
import { type CeremonyOrder, digestedOrder } from './order.ts';
import type { Quorum } from './quorum.ts';
import { RefreshSchedule, refreshOnSchedule } from './refresh-schedule.ts';
import { MAX_CERTIFICATE_BYTES } from './signing/index.ts';
import { dropOldest } from '../../shared/drop-oldest.ts';

/** The most requests of clients that are remembered, so that none permits two ceremonies. */
const MAX_REMEMBERED = 1024;
/** Milliseconds for which an order waits until its ceremony is planned, so that what fails at once is its response. */
const PLANNED_MS = 2_000;

export interface NodeQuorumOptions {
  readonly network: PeerNetwork;
  readonly keyring: Keyring;
  readonly signed: SignedConfiguration;
  readonly measured: MeasuredManifest;
  /** Id of this boot in hex, 16 bytes. */
  readonly session: string;
  readonly receiptKey: NodeKey;
  readonly pipeline: Pick<SigningPipeline, 'permit' | 'openKey' | 'countCommitments'>;
  /** Gets the certificates of epochs, which the pipeline sends along with signatures. */
  readonly certificates: CertificateRelay;
  readonly recordCeremony: DecisionLog['recordCeremony'];
  /** Finds the Ed25519 public key of a client. */
  readonly findClient: (id: string) => KeyObject | undefined;
  /** Attests to a nonce, with the node's binding (`holdfast-node/2`) as user data, out of which auditors read its keys. */
  readonly attest: (nonce: Uint8Array) => Promise<Uint8Array>;
  /** Milliseconds since 1970, by the NSM. */
  readonly now: () => number;
  /** Told of an error after which the node must stop. */
  readonly onError: (error: unknown) => void;
}

/** Starts the part of a node in its quorum's ceremonies: it answers other nodes, and leads what its clients order. */
export function startNodeQuorum(options: NodeQuorumOptions): Quorum {
  const { network, keyring, signed, measured, session, receiptKey, pipeline, findClient, now } = options;
  const { configuration } = signed;
  const { node, quorum } = measured.manifest;
  const nodes = [node, ...network.peers].toSorted((a, b) => a - b);
  const inForce = { version: configuration.version, digest: hex(signed.digest) };
  const register = new CeremonyRegister(now);
  /** Orders that this node has decided itself, by the digest of the request: resolved once the decision is sealed. */
  const decided = new Map<string, Promise<unknown>>();
  /** Ids of requests that have permitted a ceremony of another node, with the id of the ceremony. */
  const used = new Map<string, string>();

  async function authorise({ plan, request, coordinator }: AskedCeremony): Promise<void> {
    if (coordinator === undefined || request === null) {
      // An order of this node's own client was decided before the plan was made.
      if (decided.has(hex(plan.request ?? new Uint8Array()))) return;
      throw new CeremonyError('CEREMONY_NOT_ORDERED', 'no client of this node has ordered the plan');
    }
    const verified = verifyOrder(request, { session: coordinator.session, findKey: findClient, now: now() });
    const { client, order, id } = verified;
    assertOrdered(plan, order, { nodes, threshold: quorum.threshold });
    if ((used.get(id) ?? hex(plan.id)) !== hex(plan.id))
      throw new CeremonyError('CEREMONY_PLAN_REFUSED', 'the request has permitted a ceremony before', {
        reason: 'request',
      });
    used.set(id, hex(plan.id));
    dropOldest(used, MAX_REMEMBERED);
    await pipeline.permit(client, toDecide(order), () => undefined);
  }

  const schedule = new RefreshSchedule({
    self: node,
    refreshHours: configuration.quorum?.refreshHours ?? null,
    keeper: keyring,
    now,
  });
  const ceremonies = startCeremonies(
    {
      network,
      keeper: keyring,
      suites: keyring.arithmetic.suites,
      own: {
        node,
        manifest: measured.digest,
        session,
        receiptKey: receiptKey.publicKey,
        configuration: inForce,
      },
      receiptKey,
      threshold: quorum.threshold,
      edges: {
        authorise,
        authoriseOrdered: async ({ plan }) => schedule.assertOrdered(plan),
        digestRequest: (request) => new Uint8Array(createHash('sha256').update(request).digest()),
        record: async ({ plan }, confirmed) => {
          await decided.get(hex(plan.request ?? new Uint8Array()));
          await options.recordCeremony(confirmed.transcript, describeCeremony(plan, confirmed));
        },
        attest: options.attest,
        now,
        sleep: async (milliseconds) => {
          await sleep(milliseconds);
        },
      },
    },
    options.onError,
  );

  options.certificates.connect({
    certificate: async (key) => {
      const certificate = await ceremonies.getCertificate(key);
      return certificate !== undefined && certificate.length <= MAX_CERTIFICATE_BYTES ? certificate : null;
    },
    accept: async (key, certificate) => {
      try {
        return await ceremonies.takeCertificate(key, certificate);
      } catch (error) {
        options.onError(error);
        throw error;
      }
    },
    onActivated: (listener) => ceremonies.onActivated(listener),
  });
  let isStopped = false;
  refreshOnSchedule({
    schedule,
    isReachable: (peer) => network.identity(peer) !== undefined,
    lead: (keys) => ceremonies.lead({ operation: 'refresh', keys, request: null }),
    // A refusal of another node ends no node; a store that fails does.
    onFailure: options.onError,
    sleep: async (milliseconds) => {
      await sleep(milliseconds, undefined, { ref: false });
    },
    isStopped: () => isStopped,
  }).catch(options.onError);

  /** Begins to lead. What fails soon rejects; the register has the rest. */
  async function lead(order: CeremonyOrder, led: LedOrder): Promise<Ceremony> {
    const record = keyring.shareRecord(order.key);
    const group = record?.current?.group;
    const isNew = order.kind === 'generate' || order.kind === 'import-key';
    if (isNew && record !== undefined && epochOf(record) !== undefined)
      throw new CeremonyError('CEREMONY_KEY_STATE', 'the key exists', { key: order.key });
    const { id } = register.open({
      kind: order.kind,
      key: order.key,
      epoch: ((record && epochOf(record)) ?? 0) + 1,
      coordinator: node,
      participants: led.holders === undefined ? [...(group?.signers ?? nodes)] : [...led.holders],
      threshold: led.threshold ?? group?.threshold ?? quorum.threshold,
    });
    const planned = Promise.withResolvers<void>();
    ceremonies
      .lead(led, (progress) => {
        register.note(id, progress);
        planned.resolve();
      })
      .then(
        (outcome) => register.finish(id, outcome),
        (error: unknown) => {
          register.fail(id, error);
          planned.reject(error);
          options.onError(error);
        },
      );
    // A node that does not respond is waited for longer than a client waits.
    await Promise.race([planned.promise, sleep(PLANNED_MS)]);
    return register.get(id);
  }

  return {
    status: (): QuorumStatus => ({
      node,
      size: quorum.size,
      threshold: quorum.threshold,
      configuration: inForce,
      peers: network.status().map(describePeer),
      keys: keyring.shareIds().map((id) => describeKey(id, options, schedule.dueAt(id))),
    }),
    begin: async ({ client, forwarded }, order) => {
      const request = encodeCbor({ ...forwarded, fields: { ...forwarded.fields } });
      const digest = createHash('sha256').update(request).digest('hex');
      const sealed = Promise.withResolvers<void>();
      try {
        const { result, rule, receipt } = await pipeline.permit(client, toDecide(order), async () => {
          decided.set(digest, sealed.promise);
          dropOldest(decided, MAX_REMEMBERED);
          return await lead(
            order,
            toLedOrder(order, request, (key, body) => pipeline.openKey(key, body)),
          );
        });
        sealed.resolve();
        return { ceremony: result, rule, receipt };
      } catch (error) {
        sealed.reject(error);
        sealed.promise.catch(() => undefined);
        throw error;
      }
    },
    ceremonies: () => register.list(),
    ceremony: (id) => register.get(id),
    transcript: async (key, epoch) => {
      const transcript = await ceremonies.getTranscript(key, epoch);
      if (transcript !== undefined) return transcript;
      throw new QuorumError('TRANSCRIPT_NOT_FOUND', 'this node keeps no transcript of the epoch', {
        key,
        epoch,
      });
    },
    stop: () => {
      isStopped = true;
      ceremonies.stop();
    },
  };
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

/** Describes an order as the rules decide it, and as the digest of its entry covers it. */
function toDecide(order: CeremonyOrder): Parameters<SigningPipeline['permit']>[1] {
  const digested = digestedOrder(order);
  return { operation: order.kind, key: order.key, ...(digested && { order: digested }) };
}

/** Describes for the log what this node is about to confirm. */
function describeCeremony(plan: Plan, { groups }: ConfirmedEpochs): CeremonyParts {
  return {
    id: hex(plan.id),
    operation: plan.operation,
    coordinator: plan.coordinator,
    request: plan.request && hex(plan.request),
    holders: [...plan.holders],
    threshold: plan.threshold,
    keys: plan.keys.flatMap(({ key, epoch }, index) => {
      const group = groups[index];
      const [publicKey] = group?.commitments ?? [];
      return group === undefined || publicKey === undefined
        ? []
        : [{ key, epoch, publicKey: hex(publicKey), group: digestShareGroup(group) }];
    }),
  };
}

function toLedOrder(
  order: CeremonyOrder,
  request: Uint8Array,
  openKey: SigningPipeline['openKey'],
): LedOrder {
  const common = { operation: order.kind, keys: [order.key], request };
  switch (order.kind) {
    case 'reshare':
      return { ...common, holders: order.participants, threshold: order.threshold };
    case 'import-key': {
      const secret = openKey(order.key, order);
      return { ...common, secret, publicKey: Buffer.from(order.publicKey, 'hex') };
    }
    case 'generate':
    case 'refresh':
    case 'repair':
    default:
      return common;
  }
}

function describePeer({
  node,
  state,
  code,
  theirCode,
  since,
  lastSeen,
  identity,
}: PeerStatus): QuorumStatus['peers'][number] {
  return {
    node,
    state,
    code,
    theirCode,
    since,
    lastSeen,
    session: identity?.session ?? null,
    configuration: identity === null ? null : { ...identity.configuration },
  };
}

function describeKey(
  id: string,
  { keyring, pipeline }: NodeQuorumOptions,
  nextRefresh: number | null,
): QuorumKey {
  const record = keyring.shareRecord(id);
  const publicKey = record && publicKeyOf(record);
  const type = keyring.shareEntry(id)?.type ?? 'frost-ed25519';
  const group = record?.current?.group;
  const pending = record?.pending.find(({ isAborted }) => !isAborted);
  return {
    id,
    type,
    publicKey: publicKey === undefined ? null : hex(publicKey),
    ...(type === 'frost-secp256k1-taproot' &&
      publicKey !== undefined && { xpub: encodeExtendedKey(publicKey, keyring.chainCode(id)) }),
    share:
      group === undefined
        ? null
        : { epoch: group.epoch, participants: [...group.signers], threshold: group.threshold },
    superseded: group === undefined && record !== undefined ? (epochOf(record) ?? null) : null,
    pending:
      pending === undefined ? null : { ceremony: hex(pending.ceremony), epoch: pending.share.group.epoch },
    nextRefresh,
    nonces: pipeline.countCommitments(id).map(({ node, count }) => ({ node, count })),
  };
}
