import * as z from 'zod';
import { effectTypeSchema } from '../../effect-types.ts';
import { account, asset } from './chains.ts';
import { decimal, idList, MAX_IDS, uniqueList } from './fields.ts';

export const MAX_CONDITIONS = 64;
const MAX_ADDRESSES_OF_A_RULE = 256;
const MAX_SELECTORS = 256;
const MAX_CONTRACTS = 256;
/** The most selectors of the protocol that one condition lists. */
const MAX_PROTOCOL_SELECTORS = 64;

/** A function of a contract: a selector in hex with 0x, an entrypoint, an instruction; as decoders name it. */
const selector = z.string().regex(/^[\x21-\x7e]{1,64}$/);

/** What a chain's own protocol does, as decoders name it: `block`, `stake`, `ballot:yay`. Lower case on every chain. */
const protocolSelector = z.string().regex(/^[a-z0-9][a-z0-9_:-]{0,63}$/);

/**
 * What one part of a transaction may be. Every member is there; `null` stands where no limit is wanted. An effect that
 * lacks what a member looks at (no recipient, an amount that nobody can know) does not match a permit's condition.
 */
export const conditionSchema = z
  .strictObject({
    type: effectTypeSchema,
    /** Who may gain by it: everybody in these address books, and these accounts (CAIP-10). */
    to: z
      .strictObject({
        books: uniqueList(idList.element, MAX_IDS),
        addresses: uniqueList(account, MAX_ADDRESSES_OF_A_RULE),
      })
      .refine(({ books, addresses }) => books.length + addresses.length > 0, { error: 'names nobody' })
      .nullable(),
    /** CAIP-19. */
    assets: uniqueList(asset, MAX_IDS).min(1).nullable(),
    /** Contracts or programs that may be called (CAIP-10), each with its functions or, by `null`, all of them. */
    contracts: z
      .array(
        z.strictObject({
          address: account,
          selectors: uniqueList(selector, MAX_SELECTORS).min(1).nullable(),
        }),
      )
      .min(1)
      .max(MAX_CONTRACTS)
      .nullable(),
    /**
     * Bounds, inclusive and in the asset's smallest unit, of what the whole transaction moves of the effect's asset:
     * splitting an amount evades nothing.
     */
    amount: z
      .strictObject({ min: decimal.nullable(), max: decimal.nullable() })
      .refine(({ min, max }) => min !== null || max !== null, { error: 'bounds nothing; say null' })
      .refine(({ min, max }) => min === null || max === null || BigInt(min) <= BigInt(max), {
        error: 'min is greater than max',
      })
      .nullable(),
    /**
     * What the chain's own protocol does: kinds of consensus, staking, ballots. An effect matches that has no contract and
     * one of these selectors. Left out: whatever the protocol or a contract does.
     */
    selectors: uniqueList(protocolSelector, MAX_PROTOCOL_SELECTORS).min(1).optional(),
  })
  .refine(({ contracts, selectors }) => contracts === null || selectors === undefined, {
    path: ['selectors'],
    error: 'no effect has a contract and is of the protocol; write two conditions',
  });
export type Condition = z.infer<typeof conditionSchema>;
