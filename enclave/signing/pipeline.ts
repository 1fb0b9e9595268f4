import type { Decision, PolicyRequest } from '../../policy/index.ts';
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
import { decodePayload, type KeySignature, type SignatureShare } from '../signer/index.ts';
import { type Authorise, createAuthorise, type DecisionClocks } from './authorisation.ts';
import { PolicyError } from './errors.ts';

/** What became of one request, as it is recorded before anything of it leaves the node. */
export interface DecisionRecord {
  readonly request: PolicyRequest;
  readonly decision: Decision;
  /** Version of the configuration that decided. */
  readonly configuration: number;
  /** The code of the error that a permitted request ended with; null where it was carried out, or denied. */
  readonly failure: string | null;
}

/** Keeps a record; what a request has earned is withheld until it resolves, and for good if it rejects. */
export type RecordDecision = (record: DecisionRecord) => Promise<void> | void;

/** What a permitted request yields, the rule that permitted it, and the version of the configuration in force. */
export interface Permitted<Result> {
  readonly result: Result;
  readonly rule: string;
  readonly configuration: number;
}

export interface ShareSigningRequest {
  readonly key: string;
  /** Names the nonces of round one. */
  readonly handle: string;
  readonly payload: Payload;
  readonly commitments: readonly NonceCommitment[];
}

/**
 * The one way to a key. An interface authenticates its client and parses the request by its own protocol; from there
 * the pipeline decides, signs and records, and the interface responds in its own words. Every method takes the id of
 * a client that was authenticated, and throws PolicyError or SigningError where nothing permits the request.
 */
export interface SigningPipeline {
  /** X25519 public key that shares are encrypted to, 32 bytes; made anew at each boot. */
  readonly importKey: Uint8Array;
  /** The public keys of what the configuration names; null where a share awaits its import. */
  listKeys(): KeyInfo[];
  /** How full the sealed store is. */
  readonly storeUsage: StoreUsage;
  /** Signs with a whole key. @throws SignerError */
  sign(client: string, request: SignRequest): Promise<Permitted<KeySignature>>;
  /** Round one of FROST (RFC 9591, 5.1), on nonces that this memory alone has. @throws FrostError, KeyringError */
  commit(
    client: string,
    request: { readonly key: string },
  ): Promise<Permitted<{ readonly handle: string; readonly commitment: NonceCommitment }>>;
  /** Round two of FROST (RFC 9591, 5.2). @throws FrostError, KeyringError */
  signShare(client: string, request: ShareSigningRequest): Promise<Permitted<SignatureShare>>;
  /** Takes in a share that was encrypted for this node, boot and key. @throws FrostError, KeyringError, StoreError */
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
  /** Names this boot of this node, hex: a share is encrypted for it. */
  readonly session: string;
  /** Nothing is recorded when left out. */
  readonly record?: RecordDecision;
}

/** Makes the pipeline of a node that serves. */
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
        return key.sign({ algorithm, payload: decodePayload(payload) });
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
          const now = clocks.monotonic();
          return signShare(nonces, { client, key, share, handle, commitments, payload, now });
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

/** The algorithm to decide with: a key that is not a share is then refused as UNKNOWN_KEY or ALGORITHM_MISMATCH. */
function shareAlgorithm(keyring: Keyring, id: string): Extract<Algorithm, `frost-${string}`> {
  return keyring.shareEntry(id)?.type ?? 'frost-ed25519';
}

/** Decides, acts, records, and only then lets the result go. */
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
