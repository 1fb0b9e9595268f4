import { explainRequest } from '../../policy/analysis/explained.ts';
import { type KeyAdministration, type KeyOperation, preparePolicy, seesPool } from '../../policy/index.ts';
import type { ImportKeyRequest } from '../../shared/api/quorum.ts';
import type { Algorithm } from '../../shared/algorithms.ts';
import type { KeyInfo, ShareImportRequest, StoreUsage, SignRequest } from '../../shared/api/bodies.ts';
import type { SignedConfiguration } from '../../shared/documents/configuration.ts';
import type { DigestedOrder } from '../../shared/api/request-digest.ts';
import type { ShareDestination } from '../../shared/frost/index.ts';
import type { PendingRequestDocument } from '../../shared/api/requests.ts';
import type { PendingRequest } from '../approvals/index.ts';
import { generateImportKey, openImportedKey, openShare } from '../frost/index.ts';
import type { Keyring } from '../keyring/index.ts';
import { createCoverage } from '../recovery/index.ts';
import { hasExpired } from '../node/configuration.ts';
import type { MeasuredManifest } from '../node/manifest.ts';
import type { PeerNetwork } from '../peers/peer-network.ts';
import type { PoolKeys } from '../pools/index.ts';
import {
  createCoordinator,
  type EpochCertificates,
  serveParticipant,
  type Timer,
  toQuorumShare,
} from '../quorum/signing/index.ts';
import { createAuthorise, type DecisionClocks, toPolicyRequest } from './authorisation.ts';
import {
  type CarriedOut,
  createCarryOut,
  type PipelineRequest,
  type PoolKeyInRequest,
  type Waiting,
} from './carry-out.ts';
import type { DecisionLog } from './decision-log.ts';
import { createExplain, type Explanation } from './explain.ts';
import type { ForwardedRequest } from './forwarded-request.ts';
import { createParticipation } from './participation.ts';
import { createPoolOperations, type PoolOperations } from './pool-operations.ts';
import { createReader } from './reader.ts';
import {
  createRecoveryOperations,
  type RecoveryContext,
  type RecoveryOperations,
} from './recovery-operations.ts';
import { createResume } from './resume.ts';
import { createSignAction } from './sign-action.ts';
import { describeForReview } from './review.ts';
import type { DecisionState } from './state.ts';
import type { IndexedSignature } from './signatures.ts';

/**
 * The only way to a key. An interface authenticates its client and parses the request by its own protocol; then the
 * pipeline reads, decides, signs and records, and the interface responds in its own format. Every method takes the id of
 * a client that was authenticated. Where nothing permits a request it throws PolicyError, and FailedRequest where
 * a permitted one cannot be carried out: both carry the receipt of what was recorded. What cannot be recorded throws
 * AppendError, ReceiptError or StoreError, and has no effect outside of the enclave.
 */
export interface SigningPipeline {
  /** X25519 public key that shares are encrypted to, 32 bytes; made anew at each boot. */
  readonly importKey: Uint8Array;
  /** Keys that clients have the node make; undefined where the pipeline was made without them. */
  readonly pools: PoolOperations | undefined;
  /** Backups of keys; undefined where the pipeline was made without them. */
  readonly recovery: RecoveryOperations | undefined;
  /** What is wrong with the backups that the configuration asks for; null for nothing. */
  readonly backupAlert: 'BACKUP_MISSING' | 'BACKUP_OUTDATED' | null;
  /** Lists the keys of the configuration; `publicKey` is null where a share awaits its import. */
  listKeys(): KeyInfo[];
  /** Number of records in the sealed store, of those not named, and the most that it holds. */
  readonly storeUsage: StoreUsage;
  /**
   * Signs, one signature or one for each input that is the key's; or keeps the request until it is approved. With a key
   * of the quorum the other nodes sign too: `signed` gives the client's request as it came, for them to verify.
   * @throws RequestError REQUESTS_FULL
   */
  sign(
    client: string,
    request: SignRequest,
    signed?: () => ForwardedRequest,
  ): Promise<CarriedOut<readonly IndexedSignature[]> | Waiting>;
  /**
   * Carries out a request that has waited for approvals, once; later calls give the same signatures again. `signed`
   * gives this call as it came.
   * @throws RequestError
   */
  resume(
    client: string,
    id: string,
    signed?: () => ForwardedRequest,
  ): Promise<CarriedOut<readonly IndexedSignature[]> | Waiting>;
  /**
   * Says what would be decided, without deciding it.
   * @throws TransactionError
   */
  explain(client: string, request: SignRequest): Explanation;
  /** Reads a request that waits, for its approvers. @throws TransactionError */
  review(request: PendingRequest): Pick<PendingRequestDocument, 'transaction' | 'context'>;
  /** Commitments of other nodes that are at hand for signatures of one round trip, by node. */
  countCommitments(key: string): readonly { readonly node: number; readonly count: number }[];
  /**
   * Decides an operation on a shared key that has no payload, acts on it where it is permitted, and records both. Where
   * approvals are asked for it is denied (APPROVALS_NOT_AWAITED): it cannot wait.
   */
  permit<Result>(
    client: string,
    request: {
      readonly operation: Exclude<KeyOperation, KeyAdministration>;
      readonly key: string;
      readonly order?: DigestedOrder;
    },
    act: () => Result | Promise<Result>,
  ): Promise<CarriedOut<Result>>;
  /**
   * Opens a whole key that was encrypted for this node, boot and key; the caller clears it.
   *
   * @throws FrostError SHARE_UNREADABLE
   */
  openKey(key: string, request: ImportKeyRequest): Uint8Array<ArrayBuffer>;
  /** Imports a share that was encrypted for this node, boot and key. */
  importShare(
    client: string,
    request: ShareImportRequest & { readonly key: string },
  ): Promise<CarriedOut<{ readonly publicKey: Uint8Array }>>;
}

export interface SigningPipelineOptions {
  readonly signed: SignedConfiguration;
  readonly measured: MeasuredManifest;
  readonly keyring: Keyring;
  /** Keys that clients have the node make; left out: the node makes none. */
  readonly pools?: {
    readonly keys: PoolKeys;
    /** Seals changes that no entry of the log tells of. */
    readonly seal: () => Promise<void>;
  };
  /** What backups need; left out: the node makes none, and none is kept. */
  readonly recovery?: RecoveryContext;
  readonly clocks: DecisionClocks;
  /** Id of this boot of this node in hex, which an imported share must be encrypted for. */
  readonly session: string;
  readonly log: DecisionLog;
  readonly state: DecisionState;
  /** The other nodes of the quorum; absent where the configuration names none. */
  readonly quorum?: {
    readonly network: PeerNetwork;
    readonly certificates?: EpochCertificates;
    /** Clock that says which nodes are slow; the process's own when left out. */
    readonly timer?: Timer;
  };
  /** Tells whether a key may be served with the nodes that are reachable now; any may when left out. */
  readonly mayServe?: (key: string) => boolean;
}

/** Creates the pipeline of a node that serves. */
export function createSigningPipeline(options: SigningPipelineOptions): SigningPipeline {
  const { signed, measured, keyring, clocks, session, log, state } = options;
  const { requests } = state;
  const { configuration } = signed;
  const { node, quorum } = measured.manifest;
  const policy = preparePolicy(configuration);
  const pools = options.pools?.keys;
  const findPoolKey = (client: string, key: string): PoolKeyInRequest | undefined => {
    const found = pools?.find(key)?.record;
    if (found === undefined || !seesPool(policy, client, found.pool)) return undefined;
    const { id, pool, type, usage } = found;
    return { id, pool, type, usage };
  };
  const reader = createReader(configuration, keyring, pools);
  const now = () => clocks.now();
  const register = options.recovery?.register ?? { list: () => [] };
  const coverage = createCoverage({ configuration, keyring, pools, register, now });
  const coverageOf = ({ key, poolKey }: Pick<PipelineRequest, 'key' | 'poolKey'>) =>
    configuration.recovery === undefined ? undefined : coverage.of(poolKey?.pool ?? key, poolKey?.id);
  const carryOut = createCarryOut({
    read: (request) => reader.read(request),
    findPoolKey,
    authorise: createAuthorise({ configuration, policy }, clocks, state, options.mayServe, coverageOf),
    isExpired: () => hasExpired(configuration, clocks.now()),
    log,
    requests,
  });
  const importKey = generateImportKey();
  const destinationOf = (key: string): ShareDestination => ({ manifest: measured.digest, session, key });
  const findShare = (key: string) => toQuorumShare(keyring.share(key), keyring.chainCode(key));
  const coordinator = options.quorum && createCoordinator({ ...options.quorum, findShare });
  if (options.quorum !== undefined) {
    const pipeline = createParticipation({ configuration, policy, carryOut, now: () => clocks.now() });
    serveParticipant({ ...options.quorum, findShare, pipeline, now: () => clocks.now() });
  }
  const signAction = createSignAction(keyring, coordinator, pools);
  const listKeys = (): KeyInfo[] =>
    configuration.keys.map(({ id, type }) => {
      const publicKey = keyring.publicKey(id);
      return {
        id,
        type,
        publicKey: publicKey === undefined ? null : Buffer.from(publicKey).toString('hex'),
      };
    });

  return {
    importKey: importKey.publicKey,
    get storeUsage() {
      const { unnamed, ...usage } = keyring.usage;
      return { ...usage, unnamed: unnamed + (pools?.unnamed ?? 0) };
    },
    listKeys,
    pools:
      options.pools &&
      createPoolOperations({
        configuration,
        policy,
        pools: options.pools.keys,
        carryOut,
        findPoolKey,
        findPermit: (request) => {
          const asked = toPolicyRequest(request, undefined, undefined);
          const { outcome, rule } = explainRequest(policy, asked, clocks.now(), state.accumulations);
          return outcome === 'permitted' && rule !== null ? rule : undefined;
        },
        listKeys,
        seal: options.pools.seal,
      }),
    recovery:
      options.recovery &&
      createRecoveryOperations({
        ...options.recovery,
        signed,
        measured,
        keyring,
        pools,
        coverage,
        carryOut,
        session,
        now,
      }),
    get backupAlert() {
      return coverage.alert;
    },
    sign: (client, request, forward) => {
      const isShared = keyring.shareEntry(request.key) !== undefined;
      const signed = isShared ? forward?.() : undefined;
      const action = signAction(request, { signed, consent: null });
      return carryOut.orKeep({ ...request, operation: 'sign', client }, action, signed);
    },
    explain: createExplain({
      reader,
      policy,
      accumulations: state.accumulations,
      findPoolKey,
      coverageOf,
      now,
    }),
    review: ({ client, request }) =>
      describeForReview(reader, { ...request, poolKey: findPoolKey(client, request.key) }),
    resume: createResume({ carryOut, requests, signAction }),
    countCommitments: (key) => coordinator?.countCommitments(key) ?? [],
    permit: (client, request, act) =>
      carryOut.now({ ...request, client, algorithm: shareAlgorithm(keyring, request.key) }, { act }),
    openKey: (key, request) =>
      openImportedKey(request, importKey, destinationOf(key), shareAlgorithm(keyring, key)),
    importShare: (client, { key, ...request }) => {
      const type = shareAlgorithm(keyring, key);
      return carryOut.now(
        { operation: 'import-share', client, key, algorithm: type },
        {
          act: async () => {
            keyring.assertNoShare(key);
            const { publicKey, commitments } = keyring.shareEntry(key) ?? {};
            const { threshold, size: participants } = quorum;
            const expected = { type, participant: node, threshold, participants, publicKey, commitments };
            const destination = destinationOf(key);
            const share = openShare(request, importKey, destination, expected, keyring.arithmetic);
            await keyring.takeShare(key, share);
            return { publicKey: share.publicKey };
          },
        },
      );
    },
  };
}

/** Finds the algorithm to decide with. The policy then refuses a whole key by it (UNKNOWN_KEY, ALGORITHM_MISMATCH). */
function shareAlgorithm(keyring: Keyring, id: string): Extract<Algorithm, `frost-${string}`> {
  return keyring.shareEntry(id)?.type ?? 'frost-ed25519';
}
