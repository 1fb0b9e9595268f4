import * as z from 'zod';
import { keyTypeSchema } from '../algorithms.ts';
import { ceremonyOperationSchema } from '../operations.ts';

/**
 * Bodies of the interface to the quorum, JSON in UTF-8; byte strings are lower-case hex. Every request is signed by a
 * client, and each node that takes part in a ceremony decides the request by its own rules.
 *
 * GET  /v1/quorum                                     the quorum as the node sees it
 * POST /v1/quorum/keys                                generates a key among the nodes           (rule: `generate`)
 * POST /v1/quorum/keys/{id}/import                    splits an existing key inside the enclave (rule: `import-key`)
 * POST /v1/quorum/keys/{id}/refresh                   new shares for the same nodes             (rule: `refresh`)
 * POST /v1/quorum/keys/{id}/reshare                   other nodes, or another threshold         (rule: `reshare`)
 * POST /v1/quorum/keys/{id}/repair                    makes a lost share again                  (rule: `repair`)
 * GET  /v1/quorum/ceremonies                          ceremonies that this node leads or has led since it started
 * GET  /v1/quorum/ceremonies/{id}                     the progress of one
 * GET  /v1/quorum/keys/{id}/transcripts/{epoch}       the transcript of the ceremony that made an epoch
 *
 * A ceremony is accepted with status 202 and the id to ask for: it may wait for nodes longer than a connection lives.
 */

/** The most nodes that hold shares of one key. */
export const MAX_PARTICIPANTS = 32;
/** The most ceremonies that a node remembers, and lists. */
export const MAX_LISTED_CEREMONIES = 64;
/** The most keys that a status describes. */
const MAX_STATUS_KEYS = 1024;
/** Longest status of a quorum, in bytes: 1,024 keys of 32 participants. */
export const MAX_QUORUM_STATUS_BYTES = 4 * 1024 * 1024;
/** Longest transcript, in bytes: attestation documents and messages of 32 nodes. */
export const MAX_TRANSCRIPT_BYTES = 4 * 1024 * 1024;

const identifier = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/);
const hex = (minimum: number, maximum: number) =>
  z.string().regex(new RegExp(`^([0-9a-f]{2}){${minimum},${maximum}}$`));
const code = z.string().regex(/^[A-Z][A-Z0-9_]{1,63}$/);
/** Milliseconds since 1970, by the node's clock. */
const time = z.int().min(0).max(8.64e15);
/** The number of a node in its quorum, which is its participant's identifier in every group of shares. */
const node = z.int().min(1).max(255);
const epoch = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const threshold = z.int().min(2).max(MAX_PARTICIPANTS);

/** Ascending numbers of distinct nodes. */
const nodeList = z
  .array(node)
  .max(MAX_PARTICIPANTS)
  .refine((nodes) => nodes.every((number, index) => index === 0 || number > (nodes[index - 1] ?? 0)), {
    error: 'nodes are not in ascending order, or one is named twice',
  });

/** Id of a ceremony: 16 random bytes. */
export const ceremonyIdSchema = hex(16, 16);

/** The body of POST /v1/quorum/keys. The key's entry in the configuration says its type. */
export const generateRequestSchema = z.strictObject({ key: identifier });
export type GenerateRequest = z.infer<typeof generateRequestSchema>;

/**
 * The body of POST /v1/quorum/keys/{id}/import: HPKE (RFC 9180) of the 32 bytes of the secret scalar, as the group
 * serialises it, to the node's import key; shared/frost/SPEC.md says what the ciphertext is bound to.
 */
export const importKeyRequestSchema = z.strictObject({
  /** The public key of the secret: 32 bytes, or compressed SEC1. */
  publicKey: hex(32, 33),
  encapsulatedKey: hex(32, 32),
  ciphertext: hex(48, 48),
});
export type ImportKeyRequest = z.infer<typeof importKeyRequestSchema>;

/** The body of POST /v1/quorum/keys/{id}/refresh. */
export const refreshRequestSchema = z.strictObject({});

/** The body of POST /v1/quorum/keys/{id}/reshare: who holds shares afterwards, and how many of them sign. */
export const reshareRequestSchema = z
  .strictObject({ participants: nodeList.min(2), threshold })
  .refine((request) => request.threshold <= request.participants.length, {
    error: 'the threshold is above the number of participants',
  });
export type ReshareRequest = z.infer<typeof reshareRequestSchema>;

/** The body of POST /v1/quorum/keys/{id}/repair: the node whose share is lost, or that is to get one. */
export const repairRequestSchema = z.strictObject({ node });
export type RepairRequest = z.infer<typeof repairRequestSchema>;

/**
 * Steps of a ceremony, in their order: participants decide; they publish commitments; they deal encrypted shares;
 * they seal the pending epoch and confirm the transcript; they put the epoch into force and delete the old shares.
 */
export const CEREMONY_STEPS = ['decide', 'commit', 'deal', 'confirm', 'activate'] as const;
const ceremonyStepSchema = z.enum(CEREMONY_STEPS);
export type CeremonyStep = z.infer<typeof ceremonyStepSchema>;

/** State of a ceremony: under way, the new epoch is in force, or the old state stays. */
export const CEREMONY_STATES = ['running', 'done', 'failed'] as const;
const ceremonyStateSchema = z.enum(CEREMONY_STATES);

/** The progress of a ceremony, as the node that leads it sees it. */
export const ceremonySchema = z.strictObject({
  /** Id of the order, to ask for its progress by. */
  id: ceremonyIdSchema,
  /** Id of the ceremony in its transcript; null until it is planned. */
  plan: ceremonyIdSchema.nullable(),
  kind: ceremonyOperationSchema,
  key: identifier,
  /** The epoch that the ceremony makes; of a repair, the one that it restores. */
  epoch,
  /** The node that leads it. */
  coordinator: node,
  /** All nodes that take part: those that deal, and those that hold shares afterwards. */
  participants: nodeList,
  /** The threshold afterwards. */
  threshold,
  state: ceremonyStateSchema,
  step: ceremonyStepSchema,
  /** Nodes that have answered in this step, and those that are waited for. */
  answered: nodeList,
  waitingFor: nodeList,
  started: time,
  /** When the ceremony is given up, while it runs; then when it ended. */
  ends: time,
  /**
   * Why it failed, the nodes that are at fault, where they are known, and what the node that has refused says
   * (CEREMONY_REFUSED).
   */
  failure: z.strictObject({ code, nodes: nodeList, refusal: code.optional() }).nullable(),
  /** Holders of the new epoch that do not know yet that it is in force: each asks for it when it is back. */
  uninformed: nodeList,
  /** The group's public key, once it is known. */
  publicKey: hex(32, 33).nullable(),
  /** SHA-256 of the transcript, once it is done. */
  transcript: hex(32, 32).nullable(),
});
export type Ceremony = z.infer<typeof ceremonySchema>;

export const ceremonyListSchema = z.strictObject({
  ceremonies: z.array(ceremonySchema).max(MAX_LISTED_CEREMONIES),
});

/** The response with status 202 to a request that begins a ceremony. */
export const ceremonyAcceptedSchema = z.strictObject({
  ceremony: ceremonySchema,
  /** The rule that permitted the request on this node. */
  rule: identifier,
  /** The version of the configuration in force. */
  configuration: z.int().min(1),
  /** The receipt of this node's decision: audit/receipt. */
  receipt: z.unknown().optional(),
});
export type CeremonyAccepted = z.infer<typeof ceremonyAcceptedSchema>;

/** The response to GET /v1/quorum/keys/{id}/transcripts/{epoch}: the file that `audit/transcript` verifies, in base64. */
export const transcriptResponseSchema = z.strictObject({
  transcript: z.base64().max(4 * Math.ceil(MAX_TRANSCRIPT_BYTES / 3)),
});

const configurationSchema = z.strictObject({
  version: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  /** SHA-384 of the configuration. */
  digest: hex(48, 48),
});

/** Another node, as this one sees it. */
const peerStatusSchema = z.strictObject({
  node,
  /** `refused`: the last attempt ended with `code`. `connecting`: there was none, or nobody has responded. */
  state: z.enum(['connected', 'connecting', 'refused']),
  /** Why there is no channel, or why the last one ended; null where neither has happened. */
  code: code.nullable(),
  /** The code with which the other node has refused this one, where it has said so. */
  theirCode: code.nullable(),
  /** When the state began. */
  since: time,
  /** When its last authentic message came; null before the first. */
  lastSeen: time.nullable(),
  /** The session of its boot, while a channel with it stands. */
  session: hex(16, 16).nullable(),
  /** The configuration that it has proved to run, while a channel with it stands. */
  configuration: configurationSchema.nullable(),
});
export type PeerStatus = z.infer<typeof peerStatusSchema>;

/** A key of the quorum, as this node holds it. */
const quorumKeySchema = z.strictObject({
  id: identifier,
  type: keyTypeSchema,
  /** The group's public key; null: it was neither generated nor imported yet. */
  publicKey: hex(32, 33).nullable(),
  /** Of a key with children (BIP-32): the extended public key that they are derived from. */
  xpub: z.string().max(128).optional(),
  /** The epoch in force, who holds its shares, and how many of them sign; null: this node has no share. */
  share: z.strictObject({ epoch, participants: nodeList, threshold }).nullable(),
  /** The epoch that is in force without a share of this node; null: none is. */
  superseded: epoch.nullable(),
  /** The ceremony that this node has confirmed, and whose end it does not know yet; null: none. */
  pending: z.strictObject({ ceremony: ceremonyIdSchema, epoch }).nullable(),
  /** When the configuration has the shares refreshed; null: on demand alone, or this node has no share. */
  nextRefresh: time.nullable(),
  /** Commitments of other nodes that are at hand for signatures of one round trip, by node. */
  nonces: z.array(z.strictObject({ node, count: z.int().min(0) })).max(MAX_PARTICIPANTS),
});
export type QuorumKey = z.infer<typeof quorumKeySchema>;

/** The response to GET /v1/quorum. */
export const quorumStatusSchema = z.strictObject({
  /** Number of the node that answers. */
  node,
  /** Number of nodes and threshold of the manifest, which new keys get. */
  size: node,
  threshold: z.int().min(1).max(255),
  configuration: configurationSchema,
  peers: z.array(peerStatusSchema).max(MAX_PARTICIPANTS - 1),
  keys: z.array(quorumKeySchema).max(MAX_STATUS_KEYS),
});
export type QuorumStatus = z.infer<typeof quorumStatusSchema>;
