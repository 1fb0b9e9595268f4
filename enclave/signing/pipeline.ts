import type { Decision, PolicyRequest } from '../../policy/index.ts';
import type { DecodedPayload, Signing, SigningInput } from '../../policy/transactions/index.ts';
import { errorCode } from '../../shared/errors.ts';
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
import type { MeasuredManifest } from '../node/manifest.ts';
import { commitNonces, generateImportKey, NonceStore, openShare, signShare } from '../frost/index.ts';
import type { Keyring } from '../keyring/index.ts';
import { type KeySignature, type SignatureShare, SignerError } from '../signer/index.ts';
import { type Authorise, createAuthorise, type DecisionClocks } from './authorisation.ts';
import { PolicyError } from './errors.ts';
import { createReader, type SigningRequestToRead } from './reader.ts';

/** The outcome of one request, which is recorded before anything of the outcome leaves the node. */
export interface DecisionRecord {
  readonly request: PolicyRequest;
  readonly decision: Decision;
  /** Version of the configuration that decided. */
  readonly configuration: number;
  /** The code of the error that a permitted request ended with; null where it was carried out, or denied. */
  readonly failure: string | null;
}

/** Stores a record. The result of the request is withheld until this resolves, and for good if this rejects. */
export type RecordDecision = (record: DecisionRecord) => Promise<void> | void;

/** The result of a permitted request, the rule that permitted it, and the version of the configuration in force. */
export interface Permitted<Result> {
  readonly result: Result;
  readonly rule: string;
  readonly configuration: number;
}

/** A signature, and the input of the transaction that it is for; undefined where there is one signature. */
export interface IndexedSignature extends KeySignature {
  readonly index: number | undefined;
}

export interface ShareSigningRequest {
  readonly key: string;
  /** The handle that round one gave for its nonces. */
  readonly handle: string;
  readonly payload: Payload;
  readonly commitments: readonly NonceCommitment[];
}

/**
 * The only way to a key. An interface authenticates its client and parses the request by its own protocol; then the
 * pipeline decides, signs and records, and the interface responds in its own format. Every method takes the id of
 * a client that was authenticated, and throws PolicyError or SigningError where nothing permits the request.
 */
export interface SigningPipeline {
  /** X25519 public key that shares are encrypted to, 32 bytes; made anew at each boot. */
  readonly importKey: Uint8Array;
  /** Lists the keys of the configuration; `publicKey` is null where a share awaits its import. */
  listKeys(): KeyInfo[];
  /** Number of records in the sealed store, of those not named, and the most that it holds. */
  readonly storeUsage: StoreUsage;
  /** Signs with a whole key: one signature, or one for each input of the key's. @throws SignerError, TransactionError */
  sign(client: string, request: SignRequest): Promise<Permitted<readonly IndexedSignature[]>>;
  /** Runs round one of FROST (RFC 9591, 5.1); the nonces exist in memory alone. @throws FrostError, KeyringError */
  commit(
    client: string,
    request: { readonly key: string },
  ): Promise<Permitted<{ readonly handle: string; readonly commitment: NonceCommitment }>>;
  /** Runs round two of FROST (RFC 9591, 5.2). @throws FrostError, KeyringError */
  signShare(client: string, request: ShareSigningRequest): Promise<Permitted<SignatureShare>>;
  /** Imports a share that was encrypted for this node, boot and key. @throws FrostError, KeyringError, StoreError */
  importShare(
    client: string,
    request: ShareImportRequest & { readonly key: string },
  ): Promise<Permitted<{ readonly publicKey: Uint8Array }>>;
}

export interface SigningPipelineOptions {
  readonly signed: SignedConfiguration;
  readonly measured: MeasuredManifest;
  readonly keyring: Keyring;
  readonly clocks: DecisionClocks;
  /** Id of this boot of this node in hex, which an imported share must be encrypted for. */
  readonly session: string;
  /** Records outcomes; without it nothing is recorded. */
  readonly record?: RecordDecision;
}

/** Creates the pipeline of a node that serves. */
export function createSigningPipeline(options: SigningPipelineOptions): SigningPipeline {
  const { signed, measured, keyring, clocks, session } = options;
  const { configuration } = signed;
  const { node, quorum } = measured.manifest;
  const carryOut = createCarryOut(
    createAuthorise(configuration, clocks),
    configuration.version,
    options.record,
  );
  const nonces = new NonceStore();
  const importKey = generateImportKey();
  const reader = createReader(configuration, keyring);
  const read = (request: SigningRequestToRead): DecodedPayload => {
    const decoded = reader(request);
    if (decoded !== undefined) return decoded;
    throw new PolicyError('UNKNOWN_KEY', 'the payload cannot be read without the public key');
  };
  const destinationOf = (key: string): ShareDestination => ({ manifest: measured.digest, session, key });

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
    sign: (client, { key: id, algorithm, payload }) =>
      carryOut({ operation: 'sign', client, key: id, algorithm, payload: payload.kind }, () => {
        const key = keyring.key(id);
        if (key === undefined) {
          throw new PolicyError('ALGORITHM_MISMATCH', `${id} is a share: it signs in two rounds of FROST`);
        }
        const { signings } = read({ key: id, algorithm, payload });
        return signings.map(({ index, input }) => ({ ...key.sign({ algorithm, payload: input }), index }));
      }),
    commit: (client, { key }) =>
      carryOut({ operation: 'commit', client, key, algorithm: shareAlgorithm(keyring, key) }, () =>
        commitNonces(nonces, { client, key, share: keyring.share(key), now: clocks.monotonic() }),
      ),
    signShare: (client, { key, handle, payload, commitments }) =>
      carryOut(
        { operation: 'sign', client, key, algorithm: shareAlgorithm(keyring, key), payload: payload.kind },
        () => {
          const share = keyring.share(key);
          const { signings } = read({ key, algorithm: share.type, payload });
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
      ),
    importShare: (client, { key, ...request }) => {
      const type = shareAlgorithm(keyring, key);
      return carryOut({ operation: 'import-share', client, key, algorithm: type }, async () => {
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
      });
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

/** Creates the function that decides a request, acts on it, records the outcome, and only then returns the result. */
function createCarryOut(
  authorise: Authorise,
  configuration: number,
  record: RecordDecision = () => undefined,
) {
  return async <Result>(
    request: PolicyRequest,
    act: () => Result | Promise<Result>,
  ): Promise<Permitted<Result>> => {
    const decision = authorise(request);
    const recordAs = (failure: string | null) => record({ request, decision, configuration, failure });
    if (decision.outcome === 'denied') {
      await recordAs(null);
      throw new PolicyError(decision.code, 'the policy does not permit this request', decision);
    }
    let result: Result;
    try {
      result = await act();
    } catch (error) {
      await recordAs(errorCode(error));
      throw error;
    }
    await recordAs(null);
    return { result, rule: decision.rule, configuration };
  };
}
