import type { ConfigurationDocument1, ConfigurationDocument2 } from '../../shared/documents/configuration.ts';
import { digestManifest } from '../../shared/documents/manifest.ts';

/** Keys that the nodes of a quorum share, each a share on every node. */
export const QUORUM_KEYS = [
  { id: 'treasury', type: 'frost-ed25519' },
  { id: 'treasury-bitcoin', type: 'frost-secp256k1-taproot' },
] as const satisfies ConfigurationDocument1['keys'];

type Rule = ConfigurationDocument1['rules'][number];

/** Rules for the keys of a quorum: what they sign, and who may have ceremonies held on them. */
export function makeQuorumRules(client: string): ConfigurationDocument1['rules'] {
  const rule = (id: string, keys: string[], rest: Pick<Rule, 'operations' | 'algorithms' | 'payloads'>) => ({
    id,
    clients: [client],
    keys,
    rate: null,
    ...rest,
  });
  return [
    rule('treasury-messages', ['treasury'], {
      operations: ['sign'],
      algorithms: ['frost-ed25519'],
      payloads: ['message'],
    }),
    rule('treasury-taproot', ['treasury-bitcoin'], {
      operations: ['sign'],
      algorithms: ['frost-secp256k1-taproot'],
      payloads: ['digest', 'taproot-sighash'],
    }),
    rule(
      'treasury-ceremonies',
      QUORUM_KEYS.map(({ id }) => id),
      {
        operations: ['generate', 'import-key', 'refresh', 'reshare', 'repair'],
        algorithms: ['frost-ed25519', 'frost-secp256k1-taproot'],
        payloads: ['message', 'digest', 'taproot-sighash'],
      },
    ),
  ];
}

/** Node as the configurations of the others name it. */
export interface NamedNode {
  readonly node: number;
  readonly manifestBytes: Uint8Array;
  /** Verifier keys of its log and of its cosignatures, which a node has once it has a password; left out: not named. */
  readonly keys?: WitnessKeys;
}

/** Verifier keys that a node attests, by which others witness its log and it witnesses theirs. */
export interface WitnessKeys {
  readonly log: string;
  readonly witness: string;
}

type QuorumDocument = NonNullable<ConfigurationDocument2['quorum']>;

/**
 * Makes the `quorum` of one node's configuration: all other nodes, each of which may run any of the images.
 *
 * @param images PCR0, PCR1 and PCR2 of each image, and the end of its acceptance (RFC 3339, UTC) or null
 * @param servesAlone ids of keys that the node holds whole
 * @param witnesses how many of the others must cosign; left out: none has to
 */
export function makeQuorumMember(
  others: readonly NamedNode[],
  images: readonly { readonly pcrs: ReadonlyMap<number, Uint8Array>; readonly notAfter: string | null }[],
  servesAlone: readonly string[],
  witnesses?: QuorumDocument['witnesses'],
): QuorumDocument {
  const hex = (bytes: Uint8Array = new Uint8Array()) => Buffer.from(bytes).toString('hex');
  return {
    peers: others.map(({ node, manifestBytes, keys }) => ({
      node,
      manifest: hex(digestManifest(manifestBytes)),
      images: images.map(({ pcrs, notAfter }) => ({
        pcrs: { 0: hex(pcrs.get(0)), 1: hex(pcrs.get(1)), 2: hex(pcrs.get(2)) },
        notAfter,
      })),
      ...keys,
    })),
    servesAlone: [...servesAlone],
    refreshHours: null,
    ...(witnesses === undefined ? {} : { witnesses }),
  };
}
