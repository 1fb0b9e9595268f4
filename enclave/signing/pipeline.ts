import { preparePolicy } from '../../policy/index.ts';
import type { Signing, SigningInput } from '../../policy/transactions/index.ts';
import type { Algorithm } from '../../shared/algorithms.ts';
import type {
  KeyInfo,
  NonceCommitment,
  Payload,
  ShareImportRequest,
  StoreUsage,
  SignRequest,
} from '../../shared/api/bodies.ts';
import type { SignedConfiguration } from '../../shared/documents/configuration.ts';
import type { ShareDestination } from '../../shared/frost/index.ts';
import type { PendingRequestDocument } from '../../shared/api/requests.ts';
import type { PendingRequest } from '../approvals/index.ts';
import { commitNonces, generateImportKey, NonceStore, openShare, signShare } from '../frost/index.ts';
import type { Keyring } from '../keyring/index.ts';
import { hasExpired } from '../node/configuration.ts';
import type { MeasuredManifest } from '../node/manifest.ts';
import type { SignatureShare } from '../../shared/frost/index.ts';
import { SignerError } from '../signer/index.ts';
import { createAuthorise, type DecisionClocks } from './authorisation.ts';
import { type CarriedOut, createCarryOut, type Waiting } from './carry-out.ts';
import type { DecisionLog } from './decision-log.ts';
import { createExplain, type Explanation } from './explain.ts';
import { createReader } from './reader.ts';
import { createResume } from './resume.ts';
import { describeForReview } from './review.ts';
import type { DecisionState } from './state.ts';
import { type IndexedSignature, recordSignature, signAll } from './signatures.ts';

export interface ShareSigningRequest {
  readonly key: string;
  /** The handle that round one gave for its nonces. */
  readonly handle: string;
  readonly payload: Payload;
  readonly commitments: readonly NonceCommitment[];
}

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
  /** Lists the keys of the configuration; `publicKey` is null where a share awaits its import. */
  listKeys(): KeyInfo[];
  /** Number of records in the sealed store, of those not named, and the most that it holds. */
  readonly storeUsage: StoreUsage;
  /**
   * Signs with a whole key, one signature or one for each input that is the key's; or keeps the request until it is
   * approved. @throws RequestError REQUESTS_FULL
   */
  sign(client: string, request: SignRequest): Promise<CarriedOut<readonly IndexedSignature[]> | Waiting>;
  /**
   * Carries out a request that has waited for approvals, once; later calls give the same signatures again.
   * @throws RequestError
   */
  resume(client: string, id: string): Promise<CarriedOut<readonly IndexedSignature[]> | Waiting>;
  /**
   * Says what would be decided, without deciding it.
   * @throws TransactionError
   */
  explain(client: string, request: SignRequest): Explanation;
  /** Reads a request that waits, for its approvers. @throws TransactionError */
  review(request: PendingRequest): Pick<PendingRequestDocument, 'transaction' | 'context'>;
  /** Runs round one of FROST (RFC 9591, 5.1); the nonces exist in memory alone. */
  commit(
    client: string,
    request: { readonly key: string },
  ): Promise<CarriedOut<{ readonly handle: string; readonly commitment: NonceCommitment }>>;
  /** Runs round two of FROST (RFC 9591, 5.2). */
  signShare(client: string, request: ShareSigningRequest): Promise<CarriedOut<SignatureShare>>;
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
  readonly clocks: DecisionClocks;
  /** Id of this boot of this node in hex, which an imported share must be encrypted for. */
  readonly session: string;
  readonly log: DecisionLog;
  readonly state: DecisionState;
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
  const reader = createReader(configuration, keyring);
  const carryOut = createCarryOut({
    read: (request) => reader.read(request),
    authorise: createAuthorise({ configuration, policy }, clocks, state, options.mayServe),
    isExpired: () => hasExpired(configuration, clocks.now()),
    log,
    requests,
  });
  const nonces = new NonceStore();
  const importKey = generateImportKey();
  const destinationOf = (key: string): ShareDestination => ({ manifest: measured.digest, session, key });
  const signWith = ({ key: id, algorithm }: SignRequest, signings: readonly Signing[]) => {
    const key = keyring.key(id);
    if (key !== undefined) return signAll(key, algorithm, signings);
    throw new SignerError('ALGORITHM_MISMATCH', `${id} is a share: it signs in two rounds of FROST`);
  };

  return {
    importKey: importKey.publicKey,
    get storeUsage() {
      return keyring.usage;
    },
    listKeys: () =>
      configuration.keys.map(({ id, type }) => {
        const publicKey = keyring.publicKey(id);
        return {
          id,
          type,
          publicKey: publicKey === undefined ? null : Buffer.from(publicKey).toString('hex'),
        };
      }),
    sign: (client, request) =>
      carryOut.orKeep(
        { ...request, operation: 'sign', client },
        { act: (signings) => signWith(request, signings), signaturesOf: (made) => made.map(recordSignature) },
      ),
    explain: createExplain({
      reader,
      policy,
      accumulations: state.accumulations,
      now: () => clocks.now(),
    }),
    review: ({ request }) => describeForReview(reader, request),
    resume: createResume({ carryOut, requests, signWith }),
    commit: (client, { key }) =>
      carryOut.now(
        { operation: 'commit', client, key, algorithm: shareAlgorithm(keyring, key) },
        {
          act: () =>
            commitNonces(nonces, { client, key, share: keyring.share(key), now: clocks.monotonic() }),
        },
      ),
    signShare: (client, { key, handle, payload, commitments }) =>
      carryOut.now(
        { operation: 'sign', client, key, algorithm: shareAlgorithm(keyring, key), payload },
        {
          act: (signings) => {
            const share = keyring.share(key);
            const now = clocks.monotonic();
            return signShare(nonces, {
              client,
              key,
              share,
              handle,
              commitments,
              payload: takeOnly(signings),
              now,
            });
          },
        },
      ),
    importShare: (client, { key, ...request }) => {
      const type = shareAlgorithm(keyring, key);
      return carryOut.now(
        { operation: 'import-share', client, key, algorithm: type },
        {
          act: async () => {
            keyring.assertNoShare(key);
            const { publicKey, commitments } = keyring.shareEntry(key) ?? {};
            const share = openShare(request, importKey, destinationOf(key), {
              type,
              participant: node,
              threshold: quorum.threshold,
              participants: quorum.size,
              publicKey,
              commitments,
            });
            await keyring.takeShare(key, share);
            return { publicKey: share.publicKey };
          },
        },
      );
    },
  };
}

/** Takes what the one signature of a payload is over. @throws SignerError PAYLOAD_MISMATCH for several signatures */
function takeOnly(signings: readonly Signing[]): SigningInput {
  const [signing] = signings;
  if (signing !== undefined && signings.length === 1) return signing.input;
  throw new SignerError('PAYLOAD_MISMATCH', 'expected a transaction that needs one signature', {
    signatures: signings.length,
  });
}

/** Finds the algorithm to decide with. The policy then refuses a whole key by it (UNKNOWN_KEY, ALGORITHM_MISMATCH). */
function shareAlgorithm(keyring: Keyring, id: string): Extract<Algorithm, `frost-${string}`> {
  return keyring.shareEntry(id)?.type ?? 'frost-ed25519';
}
