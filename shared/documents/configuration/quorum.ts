import * as z from 'zod';
import { areUnique, identifier, MAX_IDS, sha384, uniqueList } from './fields.ts';
import { maxUncosignedSchema, verifierKeyBytes, verifierKeyName, verifierKeySchema } from './witnesses.ts';

/** The most nodes of a quorum. */
export const MAX_NODES = 32;
/** The most images that one peer may run, so that an upgrade may overlap. */
const MAX_IMAGES = 8;
/** The longest time between two refreshes: one year. */
const MAX_REFRESH_HOURS = 24 * 366;

/** The measurements of an image that a peer may run, and the end of its acceptance (RFC 3339, UTC); null: none. */
const imageSchema = z.strictObject({
  pcrs: z.strictObject({ 0: sha384, 1: sha384, 2: sha384, 8: sha384.optional() }),
  notAfter: z.iso.datetime().nullable(),
});
export type PeerImage = z.infer<typeof imageSchema>;

/** Another node of the quorum: its number, the SHA-384 of its manifest, and the images that it may run. */
const peerSchema = z.strictObject({
  node: z.int().min(1).max(255),
  manifest: sha384,
  images: z.array(imageSchema).min(1).max(MAX_IMAGES),
  /** Verifier key of its log, whose name is the log's origin: this node cosigns its checkpoints. Left out: it does not. */
  log: verifierKeySchema.optional(),
  /** Verifier key by which it cosigns: it is one of the peers that `quorum.witnesses` counts. */
  witness: verifierKeySchema.optional(),
});
export type Peer = z.infer<typeof peerSchema>;

/**
 * A start without peers, from one tree alone: for when all nodes have stopped. The node begins without cosignatures of
 * peers if its log has this very size and root when it starts, and before `notAfter` (RFC 3339, UTC).
 */
const restartSchema = z.strictObject({
  size: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
  /** RFC 6962 root of the log at that size, in hex. */
  root: z.string().regex(/^[0-9a-f]{64}$/),
  notAfter: z.iso.datetime(),
});
export type PeerlessRestart = z.infer<typeof restartSchema>;

/** How many of the peers with a `witness` key must cosign whatever leaves this node, beside the outside witnesses. */
const peerWitnessesSchema = z.strictObject({
  threshold: z
    .int()
    .min(1)
    .max(MAX_NODES - 1),
  /** For how long the node signs on when peers cosign too little, in seconds; 0: not at all. */
  maxUncosignedSeconds: maxUncosignedSchema,
  restart: restartSchema.optional(),
});

/** The quorum as one of its nodes sees it. */
export const quorumSchema = z
  .strictObject({
    /** All other nodes, this one not among them. */
    peers: z
      .array(peerSchema)
      .min(1)
      .max(MAX_NODES - 1),
    /** Keys that this node holds whole and serves even where fewer nodes than the threshold are reachable. */
    servesAlone: uniqueList(identifier, MAX_IDS),
    /** Hours after which shares are refreshed; null: on demand alone. */
    refreshHours: z.int().min(1).max(MAX_REFRESH_HOURS).nullable(),
    /** Left out: no peer has to cosign. */
    witnesses: peerWitnessesSchema.optional(),
  })
  .refine(({ peers }) => areUnique(peers.map(({ node }) => String(node))), {
    path: ['peers'],
    error: 'a node is named twice',
  })
  .refine(({ peers }) => areUnique(peers.map(({ manifest }) => manifest)), {
    path: ['peers'],
    error: 'a manifest is named twice',
  })
  .refine(({ peers }) => areUnique(keysOf(peers).map(verifierKeyBytes)), {
    path: ['peers'],
    error: 'a key of a log or a witness is given twice',
  })
  .refine(({ peers }) => areUnique(keysOf(peers).map(verifierKeyName)), {
    path: ['peers'],
    error: 'a log or a witness is named twice',
  })
  .refine(
    ({ peers, witnesses }) =>
      (witnesses?.threshold ?? 0) <= peers.filter(({ witness }) => witness !== undefined).length,
    { path: ['witnesses', 'threshold'], error: 'greater than the number of peers with a witness key' },
  );
export type Quorum = z.infer<typeof quorumSchema>;

function keysOf(peers: readonly Peer[]): string[] {
  return peers.flatMap(({ log, witness }) => [log, witness].filter((key) => key !== undefined));
}
