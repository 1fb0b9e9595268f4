import { hash, sign } from 'node:crypto';
import {
  cosignCheckpoint,
  createVerifierKey,
  formatVerifierKey,
  LOG_KEY_TYPES,
  parseVerifierKey,
  type SigningKey,
  type TreeHead,
} from '../../../audit/log/index.ts';
import { verifyByNode } from '../../../audit/log/node-signatures.ts';
import { createCosignatureEntry, encodeEntry } from '../../../audit/receipt/index.ts';
import {
  type CosignRequest,
  decideCosign,
  type FollowedLogs,
  parseCosignRequest,
  verifyCosignRequest,
} from '../../../audit/witness/index.ts';
import type { Configuration, SignedConfiguration } from '../../../shared/documents/configuration.ts';
import type { TransparencyLog } from '../../log/index.ts';
import { type MeasuredManifest, witnessName } from '../../node/manifest.ts';
import type { NodeKey } from '../../node/node-keys.ts';
import type { WitnessedTrees } from './witnessed-trees.ts';

export interface NodeWitnessOptions {
  readonly log: Pick<TransparencyLog, 'append'>;
  readonly key: NodeKey;
  readonly trees: WitnessedTrees;
  readonly measured: MeasuredManifest;
  readonly signed: SignedConfiguration;
  readonly session: string;
  /** Milliseconds since 1970, by the NSM. */
  readonly now: () => number;
}

/**
 * Witness of the peers' logs (C2SP tlog-witness): the logs whose keys the signed configuration names. Each
 * tree that it cosigns is an entry of its own log and a sealed record, and the cosignature leaves once that entry may: so
 * a store that is rolled back forgets a cosignature only together with an entry that others have seen.
 */
export class NodeWitness {
  /** Verifier key of the cosignatures, for `quorum.peers[].witness` of the other nodes. */
  readonly vkey: string;
  readonly #signingKey: SigningKey;
  readonly #logs: FollowedLogs;
  readonly #options: NodeWitnessOptions;
  /** Sizes of the trees whose cosignature may leave, by origin: their entries are sealed and cosigned. */
  readonly #released = new Map<string, number>();

  /** @throws LogError VERIFIER_KEY_MALFORMED for a key that is no log's */
  constructor(options: NodeWitnessOptions) {
    const { key, measured, signed, trees } = options;
    const verifierKey = createVerifierKey(
      witnessName(measured.manifest),
      'cosignature-ed25519',
      key.publicKey,
    );
    this.#options = options;
    this.#signingKey = { key: verifierKey, sign: (message) => sign(null, message, key.privateKey) };
    this.vkey = formatVerifierKey(verifierKey);
    this.#logs = readLogs(signed.configuration);
    // The start's own tree, which witnesses have seen, has the entries of earlier boots.
    for (const origin of this.#logs.keys()) {
      const tree = trees.find(origin);
      if (tree !== undefined) this.#released.set(origin, tree.size);
    }
  }

  /** True where the configuration names a log to be cosigned. */
  get isFollowing(): boolean {
    return this.#logs.size > 0;
  }

  /**
   * Cosigns a checkpoint that extends all that this node has cosigned before for its log.
   *
   * @param body the request of add-checkpoint
   * @returns the line of the cosignature
   * @throws WitnessError; AppendError where the entry was not released; StoreError
   */
  async cosign(body: Uint8Array): Promise<string> {
    const request = parseCosignRequest(body);
    const { text, origin, size } = verifyCosignRequest(request, this.#logs, verifyByNode);
    if (!this.#isReleased(request)) {
      await this.#options.log.append((sequence) => this.#record(sequence, request, text), 'outside');
      this.#released.set(origin, Math.max(size, this.#released.get(origin) ?? 0));
    }
    return cosignCheckpoint(this.#signingKey, text, Math.floor(this.#options.now() / 1_000));
  }

  /** Decides, and tells whether the tree is the one cosigned last, whose entry is released: it is signed again as it is. */
  #isReleased(request: CosignRequest): boolean {
    const { origin, size } = request.checkpoint;
    const known = this.#options.trees.find(origin);
    decideCosign(known, request);
    return known?.size === size && this.#released.get(origin) === size;
  }

  /** Decides once more while the entry is made: nothing comes between this and its commit. */
  #record(sequence: number, request: CosignRequest, text: string): Uint8Array {
    const { trees, measured, session, signed, now } = this.#options;
    const { origin } = request.checkpoint;
    const tree: TreeHead = decideCosign(trees.find(origin), request);
    const { namespace, environment, node } = measured.manifest;
    const entry = encodeEntry(
      createCosignatureEntry(hash('sha256', text, 'hex'), {
        node: { manifest: hex(measured.digest), namespace, environment, index: node },
        session,
        sequence,
        time: new Date(now()).toISOString(),
        origin,
        size: tree.size,
        root: hex(tree.root),
        configuration: { version: signed.configuration.version, digest: hex(signed.digest) },
      }),
    );
    trees.keep(origin, tree);
    return entry;
  }
}

function readLogs({ quorum }: Configuration): FollowedLogs {
  const keys = (quorum?.peers ?? []).flatMap(({ log }) =>
    log === undefined ? [] : [parseVerifierKey(log, LOG_KEY_TYPES)],
  );
  return new Map(keys.map((key) => [key.name, [key]]));
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
