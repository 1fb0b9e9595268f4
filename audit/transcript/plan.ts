import { createHash } from 'node:crypto';
import * as z from 'zod';
import { shareTypeSchema } from '../../shared/algorithms.ts';
import { encodeCbor } from '../../shared/cbor/index.ts';
import { ceremonyOperationSchema } from '../../shared/operations.ts';
import { bytesOf, bytesUpTo, decodeBySchema, nodeNumber, nodeNumbers } from './fields.ts';
import { MAX_ABANDONED, MAX_CEREMONY_KEYS, MAX_CEREMONY_NODES, MAX_PLAN_BYTES } from './limits.ts';

const epochNumber = z.int().min(0).max(0xffff_ffff);

/** The group of a key in the epoch that a ceremony starts from. */
const formerGroupSchema = z.strictObject({
  epoch: epochNumber,
  threshold: z.int().min(2).max(255),
  holders: nodeNumbers(2, 255),
  /** Commitments to the coefficients of the polynomial; the first is the group's public key. */
  commitments: z.array(bytesUpTo(33)).min(2).max(255),
});
export type FormerGroup = z.infer<typeof formerGroupSchema>;

/** One key of a ceremony. */
const keySchema = z.strictObject({
  key: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/),
  type: shareTypeSchema,
  /** The epoch that is made: greater than every one that a participant has confirmed. */
  epoch: epochNumber.min(1),
  /** null where the key does not exist yet. */
  former: formerGroupSchema.nullable(),
  /** Digest of the key's first group (shared/frost/SPEC.md); null where this ceremony makes it. */
  origin: bytesOf(48).nullable(),
  /** The public key of a key that is imported; null otherwise. */
  publicKey: bytesUpTo(33).nullable(),
});
export type PlannedKey = z.infer<typeof keySchema>;

/** A node that takes part, as each other participant knows it from its own channel. */
const memberSchema = z.strictObject({
  node: nodeNumber,
  /** SHA-384 of its manifest. */
  manifest: bytesOf(48),
  session: z.string().regex(/^[0-9a-f]{32}$/),
  /** Ed25519 key that its messages are signed by. */
  receiptKey: bytesOf(32),
  configuration: z.strictObject({
    version: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
    digest: z.string().regex(/^[0-9a-f]{96}$/),
  }),
});
export type CeremonyMember = z.infer<typeof memberSchema>;

const planSchema = z
  .strictObject({
    format: z.literal('holdfast-ceremony/1'),
    id: bytesOf(16),
    operation: ceremonyOperationSchema,
    coordinator: nodeNumber,
    /** Milliseconds since 1970, by the coordinator's clock. */
    time: z.int().min(0).max(Number.MAX_SAFE_INTEGER),
    /** Threshold of the epoch that is made. */
    threshold: z.int().min(2).max(MAX_CEREMONY_NODES),
    /** Nodes that deal: all holders in a generation, the one with the key in an import, t of the old holders otherwise. */
    dealers: nodeNumbers(1, MAX_CEREMONY_NODES),
    /** Nodes that will hold a share. */
    holders: nodeNumbers(2, MAX_CEREMONY_NODES),
    /** The coordinator, all dealers and all holders, ascending. */
    members: z
      .array(memberSchema)
      .min(2)
      .max(2 * MAX_CEREMONY_NODES),
    keys: z.array(keySchema).min(1).max(MAX_CEREMONY_KEYS),
    /** Ids of ceremonies that were confirmed by some and certified by nobody, and which this one leaves behind. */
    abandons: z.array(bytesOf(16)).max(MAX_ABANDONED),
    /** SHA-256 of the client's forwarded request; null for a refresh that the configuration orders. */
    request: bytesOf(32).nullable(),
  })
  .refine(({ threshold, holders }) => threshold <= holders.length, { path: ['threshold'] })
  .refine(({ keys }) => new Set(keys.map(({ key }) => key)).size === keys.length, { path: ['keys'] })
  .refine(
    ({ coordinator, dealers, holders, members }) =>
      String(members.map(({ node }) => node)) ===
      String([...new Set([coordinator, ...dealers, ...holders])].toSorted((a, b) => a - b)),
    { path: ['members'] },
  )
  .refine(({ operation, request }) => operation === 'refresh' || request !== null, { path: ['request'] })
  .refine(
    ({ operation, keys }) =>
      keys.every(
        ({ former, origin, publicKey }) =>
          (former === null) === (operation === 'generate' || operation === 'import-key') &&
          (former === null) === (origin === null) &&
          (publicKey !== null) === (operation === 'import-key'),
      ),
    { path: ['keys'] },
  )
  .refine(
    ({ operation, dealers, holders }) => {
      if (operation === 'generate') return String(dealers) === String(holders);
      return operation !== 'import-key' || dealers.length === 1;
    },
    { path: ['dealers'] },
  )
  .refine(
    ({ operation, dealers, keys, threshold, holders }) =>
      keys.every(
        ({ former, epoch }) =>
          former === null ||
          (former.commitments.length === former.threshold &&
            former.threshold <= former.holders.length &&
            epoch > former.epoch &&
            dealers.length >= former.threshold &&
            dealers.every((node) => former.holders.includes(node)) &&
            (operation === 'reshare' ||
              (threshold === former.threshold && String(holders) === String(former.holders)))),
      ),
    { path: ['keys'] },
  );

/**
 * What a ceremony is to do, and who takes part in it: decided by its coordinator, checked and signed by each
 * participant.
 */
export type Plan = z.infer<typeof planSchema>;

export function encodePlan(plan: Plan): Uint8Array<ArrayBuffer> {
  return encodeCbor(planSchema.parse(plan));
}

/** Decodes a plan; its byte strings are views of `bytes`. @throws TranscriptError TRANSCRIPT_MALFORMED */
export function decodePlan(bytes: Uint8Array): Plan {
  return decodeBySchema(planSchema, bytes, 'the plan of a ceremony', MAX_PLAN_BYTES);
}

/** Computes the SHA-256 of an encoded plan, which every message of the ceremony is bound to. */
export function digestPlan(encoded: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha256').update('holdfast-ceremony-plan/1\0').update(encoded).digest());
}
