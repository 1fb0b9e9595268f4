export { toSigningInput } from './blind.ts';
export { decodePayload } from './decode.ts';
export { TransactionError, type TransactionErrorCode } from './errors.ts';
export {
  type DecodedPayload,
  type DecodingContext,
  EFFECT_TYPES,
  type Effect,
  type EffectType,
  MAX_EFFECTS,
  type Signing,
  type SigningInput,
  type Transaction,
} from './transaction.ts';
