import * as z from 'zod';

/** What one part of a transaction can do, the same names for every chain; a condition of a rule names one of them. */
export const EFFECT_TYPES = [
  /** An amount of an asset goes to `to`. */
  'transfer',
  /** `to` may take up to `amount` of an asset later: approve, permit, setApprovalForAll. */
  'allowance',
  /** A contract is called with data that no decoder knows; `selector` names the function. */
  'call',
  /** A contract is created. */
  'deploy',
  /** The account's own behaviour is handed to code (EIP-7702). */
  'authorise-code',
  /** Voting or baking rights are handed on, or taken back (`to` null). */
  'delegate',
  /** Funds are staked, unstaked or finalised with the account's own delegate. */
  'stake',
  /** A public key is revealed to the chain. */
  'reveal',
  /** A statement signed off the chain, in words (EIP-191) or as data (EIP-712). */
  'message',
  /** A block, preattestation or attestation of a baker. */
  'consensus',
  /** Bytes or a digest that nobody has read. */
  'blind',
  /** A part that is well-formed and whose meaning is not known. */
  'unknown',
] as const;
export const effectTypeSchema = z.enum(EFFECT_TYPES);
export type EffectType = (typeof EFFECT_TYPES)[number];
