import * as z from 'zod';
import {
  algorithmSchema,
  keyUsageSchema,
  payloadKindSchema,
  poolKeyTypeSchema,
} from '../../shared/algorithms.ts';
import { childPathSchema } from '../../shared/api/child-path.ts';
import { MAX_NODES } from '../../shared/documents/configuration/quorum.ts';
import { ceremonyOperationSchema, operationSchema } from '../../shared/operations.ts';
import { MAX_CEREMONY_KEYS } from '../transcript/limits.ts';
import { transactionSchema } from '../../policy/transactions/json.ts';
import { approvalSchema } from './approval.ts';
import { base64UpTo, code, counter, decimal, hex, hexUpTo, identifier, name, time, words } from './fields.ts';

/** The largest entry, in bytes: the length of an entry in a bundle of C2SP's tlog-tiles is a uint16. */
export const MAX_ENTRY_BYTES = 65_535;
const MAX_REASONS = 64;
const MAX_APPROVALS = 32;
const MAX_CHARGES = 256;
/** Signatures of one request: inputs of a PSBT. */
const MAX_RECORDED_SIGNATURES = 1024;
/** Of an RSA key of 4096 bits, as SubjectPublicKeyInfo. */
const MAX_PUBLIC_KEY_BYTES = 550;
const MAX_DOCUMENT_BYTES = 16_640;

export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';

/** in-toto's names of what an entry states; `.invalid` because nobody is to look for a page there. */
export const PREDICATE_TYPES = {
  decision: 'https://holdfast.invalid/decision/v1',
  boot: 'https://holdfast.invalid/boot/v1',
  vote: 'https://holdfast.invalid/vote/v1',
  cosignature: 'https://holdfast.invalid/cosignature/v1',
  ceremony: 'https://holdfast.invalid/ceremony/v1',
} as const;

const nodeSchema = z.strictObject({
  /** SHA-384 of the manifest's bytes: PCR16 before it is extended. */
  manifest: hex(48),
  namespace: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  environment: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/),
  /** The node's place in its quorum, from 1. */
  index: z.int().min(1).max(255),
});

const configurationSchema = z.strictObject({
  version: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
  /** SHA-384 of the signed bytes. */
  digest: hex(48),
});

/** What every entry says: which node and boot, its place in the log, and when by the NSM's clock. */
const common = {
  node: nodeSchema,
  /** Random for each boot. */
  session: hex(16),
  /** Index of this entry in the log, from 0. */
  sequence: counter,
  time,
};

const requestSchema = z.strictObject({
  client: identifier,
  /** A key of the configuration, or a pool. */
  key: identifier,
  /** The key of the pool, null where none was made; left out where `key` is no pool that the client sees. */
  poolKey: z
    .strictObject({
      id: z.uuid({ version: 'v4' }).nullable(),
      type: poolKeyTypeSchema,
      usage: keyUsageSchema,
    })
    .optional(),
  algorithm: algorithmSchema.nullable(),
  operation: operationSchema,
  payload: payloadKindSchema.nullable(),
  /** Path to the child of the key that signs; left out where the key itself does. */
  path: childPathSchema.optional(),
});

const nodeNumber = z.int().min(1).max(255);

/** The quorum that a decision was made in: what the nodes have compared, and who signs. */
const quorumSchema = z.strictObject({
  /** The node that the client has asked. */
  coordinator: nodeNumber,
  /** The nodes that sign together, the coordinator among them. */
  participants: z.array(nodeNumber).min(2).max(MAX_NODES),
  /** SHA-384 of all that is public about the key's group in that epoch. */
  group: hex(48),
  epoch: counter,
  /** Decision digest of the coordinator, which each node has compared with its own. */
  decision: hex(32),
  /** SHA-256 of the decision digest and the nonce commitments that the nodes sign with. */
  package: hex(32),
  /** Nodes that the coordinator has gone on without, and why. */
  excluded: z.array(z.strictObject({ node: nodeNumber, code })).max(MAX_NODES),
});

/** How many of a group of witnesses must cosign. */
const witnessGroup = z.strictObject({ threshold: z.int().min(1).max(64), of: z.int().min(1).max(64) });

const outcomes = z.enum(['permitted', 'pending', 'denied']);

/** A backup that was made, or that a keeper has acknowledged. */
const backupSchema = z.strictObject({
  /** SHA-384 of the backup's statement (shared/recovery/SPEC.md). */
  statement: hex(48),
  /** Who says that it is kept; null where it was made. */
  keeper: identifier.nullable(),
});

const decisionSchema = z
  .strictObject({
    ...common,
    request: requestSchema,
    /** What the request does, decoded; null where there is no payload, or where it could not be decoded. */
    transaction: transactionSchema.nullable(),
    outcome: outcomes,
    /** Why it was denied; null otherwise. */
    code: code.nullable(),
    /** The rule that permitted, denied or waits; null where none matched. */
    rule: identifier.nullable(),
    /** Why rules did not permit the request: a condition of each, and words that a person reads. */
    reasons: z
      .array(z.strictObject({ rule: identifier.nullable(), condition: name, words }))
      .max(MAX_REASONS),
    /** What would turn the outcome into a permission: approvals, time. */
    needs: z.array(z.strictObject({ rule: identifier, kind: name, words })).max(MAX_REASONS),
    /** Id of the request that waited or waits for approvals; null where none was needed. */
    pendingId: hexUpTo(32).nullable(),
    approvals: z.array(approvalSchema).max(MAX_APPROVALS),
    /** Allowances that the decision has drawn on; they stay drawn if the signature never leaves. */
    charges: z
      .array(z.strictObject({ rule: identifier, limit: words, asset: words.nullable(), amount: decimal }))
      .max(MAX_CHARGES),
    configuration: configurationSchema,
    /** Code of the error that a permitted request ended with. */
    failure: code.nullable(),
    /** Signatures that the request was given; `index` is the input of a transaction with several. */
    signatures: z
      .array(
        z.strictObject({
          index: counter.nullable(),
          publicKey: hexUpTo(MAX_PUBLIC_KEY_BYTES),
          sha256: hex(32),
        }),
      )
      .max(MAX_RECORDED_SIGNATURES),
    /** Witnesses that the configuration wants under a checkpoint; null where it names none. */
    witnesses: witnessGroup.nullable(),
    /** Other nodes of the quorum that must cosign too; left out where the configuration asks for none. */
    peerWitnesses: witnessGroup.optional(),
    /** Of the operation `backup`, where it was carried out; left out elsewhere. */
    backup: backupSchema.optional(),
    /** Left out where the node has decided for itself alone. */
    quorum: quorumSchema.optional(),
  })
  .refine(({ outcome, code }) => (outcome === 'denied') === (code !== null), { path: ['code'] })
  .refine(({ outcome, rule }) => outcome === 'denied' || rule !== null, { path: ['rule'] })
  .refine(({ outcome, failure }) => outcome === 'permitted' || failure === null, { path: ['failure'] })
  .refine(
    ({ outcome, failure, signatures }) =>
      signatures.length === 0 || (outcome === 'permitted' && failure === null),
    { path: ['signatures'] },
  )
  .refine(
    ({ backup, request, outcome, failure }) =>
      (backup !== undefined) ===
      (request.operation === 'backup' && outcome === 'permitted' && failure === null),
    { path: ['backup'] },
  )
  .refine(({ outcome, pendingId }) => outcome !== 'pending' || pendingId !== null, { path: ['pendingId'] })
  .refine(({ witnesses: group }) => group === null || group.threshold <= group.of, { path: ['witnesses'] })
  .refine(({ peerWitnesses: group }) => group === undefined || group.threshold <= group.of, {
    path: ['peerWitnesses'],
  });

const bootSchema = z.strictObject({
  ...common,
  /** Drawn from the NSM for this boot: a tree with this leaf cannot have been signed before. */
  entropy: hex(32),
  /** Size of the log that the sealed store had before this entry. */
  previousSize: counter,
  configuration: configurationSchema,
  /** Digest of the sealed state at this start. */
  state: hexUpTo(64),
  /** Origin line of the log's checkpoints. */
  origin: words,
  /** An attestation document whose user_data names the keys of receipts and log, in base64. */
  document: base64UpTo(MAX_DOCUMENT_BYTES).optional(),
});

const voteSchema = z.strictObject({
  ...common,
  /** Id of the request that waits. */
  pendingId: hexUpTo(32),
  approval: approvalSchema,
  configuration: configurationSchema,
});

const cosignatureSchema = z.strictObject({
  ...common,
  /** Origin of the other node's log. */
  origin: words,
  /** Number of its entries under the checkpoint. */
  size: counter,
  /** RFC 6962 root of its tree. */
  root: hex(32),
  configuration: configurationSchema,
});

const ceremonySchema = z
  .strictObject({
    ...common,
    /** Id of the ceremony in its transcript. */
    id: hex(16),
    operation: ceremonyOperationSchema,
    /** The node that leads it. */
    coordinator: nodeNumber,
    /** SHA-256 of the client's request as it was handed on; null for a refresh that configurations order. */
    request: hex(32).nullable(),
    /** Nodes that hold shares afterwards, and how many of them sign. */
    holders: z.array(nodeNumber).min(2).max(MAX_NODES),
    threshold: z.int().min(2).max(MAX_NODES),
    keys: z
      .array(
        z.strictObject({
          key: identifier,
          epoch: counter,
          publicKey: hexUpTo(33),
          /** SHA-384 of all that is public about the key's group in that epoch. */
          group: hex(48),
        }),
      )
      .min(1)
      .max(MAX_CEREMONY_KEYS),
    configuration: configurationSchema,
  })
  .refine(({ threshold, holders }) => threshold <= holders.length, { path: ['threshold'] });

/** What a request entry is about: SHA-256 of the canonical request. */
const requestSubject = z.tuple([
  z.strictObject({ name: z.literal('request'), digest: z.strictObject({ sha256: hex(32) }) }),
]);
/** What a boot entry is about: SHA-384 of the manifest's bytes. */
const manifestSubject = z.tuple([
  z.strictObject({ name: z.literal('manifest'), digest: z.strictObject({ sha384: hex(48) }) }),
]);
/** What a cosignature's entry is about: SHA-256 of the checkpoint's text. */
const checkpointSubject = z.tuple([
  z.strictObject({ name: z.literal('checkpoint'), digest: z.strictObject({ sha256: hex(32) }) }),
]);
/** What a ceremony's entry is about: SHA-256 of the transcript that the node is about to confirm. */
const transcriptSubject = z.tuple([
  z.strictObject({ name: z.literal('transcript'), digest: z.strictObject({ sha256: hex(32) }) }),
]);

const statement = <Subject extends z.ZodType, Type extends string, Predicate extends z.ZodType>(
  subject: Subject,
  predicateType: Type,
  predicate: Predicate,
) =>
  z.strictObject({
    _type: z.literal(STATEMENT_TYPE),
    subject,
    predicateType: z.literal(predicateType),
    predicate,
  });

/** Schema of an entry: an in-toto statement (https://in-toto.io/Statement/v1). */
export const entrySchema = z.discriminatedUnion('predicateType', [
  statement(requestSubject, PREDICATE_TYPES.decision, decisionSchema),
  statement(manifestSubject, PREDICATE_TYPES.boot, bootSchema),
  statement(requestSubject, PREDICATE_TYPES.vote, voteSchema),
  statement(checkpointSubject, PREDICATE_TYPES.cosignature, cosignatureSchema),
  statement(transcriptSubject, PREDICATE_TYPES.ceremony, ceremonySchema),
]);
export type Entry = z.infer<typeof entrySchema>;
export type DecisionPredicate = Extract<
  Entry,
  { predicateType: typeof PREDICATE_TYPES.decision }
>['predicate'];
export type BootPredicate = Extract<Entry, { predicateType: typeof PREDICATE_TYPES.boot }>['predicate'];
export type VotePredicate = Extract<Entry, { predicateType: typeof PREDICATE_TYPES.vote }>['predicate'];
export type CosignaturePredicate = Extract<
  Entry,
  { predicateType: typeof PREDICATE_TYPES.cosignature }
>['predicate'];
export type CeremonyPredicate = Extract<
  Entry,
  { predicateType: typeof PREDICATE_TYPES.ceremony }
>['predicate'];
