import * as z from 'zod';
import { ALGORITHMS, algorithmSchema, payloadKindSchema } from '../../algorithms.ts';
import { operationSchema } from '../../operations.ts';
import { approvalsSchema, tierListSchema } from './approvals.ts';
import { network } from './chains.ts';
import { conditionSchema, MAX_CONDITIONS } from './conditions.ts';
import { decimal, identifier, idList, uniqueList } from './fields.ts';
import { feeSchema, limitListSchema, nonceSchema, rateSchema, timeSchema } from './limits.ts';

/** A property of a transaction that a rule has to name: `ethereum:unlimited-allowance`. */
const feature = z.string().regex(/^[a-z0-9]{1,32}:[a-z0-9-]{1,64}$/);

/** Members of both effects: which requests a rule is about. */
const scope = {
  id: identifier,
  operations: z.array(operationSchema).min(1).max(16),
  /** Clients, and groups of clients. */
  clients: idList,
  /** Keys, and pools of keys. */
  keys: idList,
  algorithms: z.array(algorithmSchema).min(1).max(ALGORITHMS.length),
  payloads: z.array(payloadKindSchema).min(1).max(16),
  /** CAIP-2; null: whichever the key serves, and none. */
  networks: uniqueList(network, 64).min(1).nullable(),
  time: timeSchema.nullable(),
};
const conditions = z.array(conditionSchema).min(1).max(MAX_CONDITIONS);
const features = uniqueList(feature, 64);

/**
 * One permission: a request is permitted if it matches every member, every effect of its transaction some condition,
 * and every feature of it is named, unless a rule denies it.
 */
export const permitSchema = z.strictObject({
  ...scope,
  effect: z.literal('permit'),
  effects: conditions,
  /** Features that are tolerated. */
  features,
  fee: feeSchema.nullable(),
  gas: z.strictObject({ max: decimal }).nullable(),
  nonce: nonceSchema.nullable(),
  limits: limitListSchema,
  approvals: approvalsSchema.nullable(),
  tiers: tierListSchema,
  rate: rateSchema.nullable(),
});
export type PermitRule = z.infer<typeof permitSchema>;

/** Members of a permit without limits, approvals or tolerated features: what its scope and effects say is all. */
export const UNLIMITED = {
  networks: null,
  time: null,
  features: [],
  fee: null,
  gas: null,
  nonce: null,
  limits: [],
  approvals: null,
  tiers: [],
  rate: null,
} satisfies Partial<PermitRule>;

/**
 * One denial, which no permission overrides: a request is denied if it matches every member, and any effect of its
 * transaction any condition. A member that cannot be evaluated matches.
 */
export const denySchema = z.strictObject({
  ...scope,
  effect: z.literal('deny'),
  /** null: every effect. */
  effects: conditions.nullable(),
  /** Any of these features matches; null: with or without features. */
  features: features.min(1).nullable(),
});
export type DenyRule = z.infer<typeof denySchema>;

export const ruleSchema = z.discriminatedUnion('effect', [permitSchema, denySchema]);
export type Rule = z.infer<typeof ruleSchema>;
