import * as z from 'zod';
import { areUnique, identifier, MAX_IDS, sha384, uniqueList } from './fields.ts';

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
});
export type Peer = z.infer<typeof peerSchema>;

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
  })
  .refine(({ peers }) => areUnique(peers.map(({ node }) => String(node))), {
    path: ['peers'],
    error: 'a node is named twice',
  })
  .refine(({ peers }) => areUnique(peers.map(({ manifest }) => manifest)), {
    path: ['peers'],
    error: 'a manifest is named twice',
  });
export type Quorum = z.infer<typeof quorumSchema>;
