import type { PayloadKind } from '../../shared/algorithms.ts';
import type { EffectType } from '../../shared/effect-types.ts';

export { EFFECT_TYPES, type EffectType } from '../../shared/effect-types.ts';

/**
 * What one part of a request does, in the same six fields for every chain, so that rules, the approver's page and the
 * log need to know no chain. A field that does not apply, or that nobody can know, is null; a rule that needs it then
 * does not match.
 */
export interface Effect {
  readonly type: EffectType;
  /** Who gains by it, in the chain's own notation (EIP-55, Bech32(m), Base58): recipient, spender, delegate, code. */
  readonly to: string | null;
  /** CAIP-19 asset type: `eip155:1/slip44:60`, `eip155:1/erc20:0x…`, `bip122:…/slip44:0`. */
  readonly asset: string | null;
  /** In the asset's smallest unit. Null in an allowance without an end, and where nobody can know it. */
  readonly amount: bigint | null;
  /** The contract or program that is called, in the chain's own notation. */
  readonly contract: string | null;
  /** The function that is called: a selector of four bytes in hex with 0x, an entrypoint, an instruction. */
  readonly selector: string | null;
  /** Further facts for people and the log, in words of the chain; no rule reads them. */
  readonly details: Readonly<Record<string, string>>;
}

/**
 * What a request asks to have signed, decoded. Its JSON form has each bigint as a decimal string.
 */
export interface Transaction {
  readonly kind: PayloadKind;
  /** CAIP-2: `eip155:1`, `bip122:000000000019d6689c085ae165831e93`, `tezos:NetXdQprcVkpaWU`, `solana:5eykt4U…`; null for blind kinds. */
  readonly network: string | null;
  /** The account that acts, in the chain's own notation; null for blind kinds. */
  readonly source: string | null;
  /** At least one, and at most {@link MAX_EFFECTS}. */
  readonly effects: readonly Effect[];
  /** The most that the transaction can cost its source beside its effects; null where it costs nothing. */
  readonly fee: { readonly asset: string; readonly amount: bigint } | null;
  /** The account's counter; null where the chain has none. */
  readonly nonce: bigint | null;
  /** Gas, compute units or storage that it may use; null where the chain counts none. */
  readonly gas: bigint | null;
  /**
   * Properties that a rule has to name before it permits them, each a stable name of the form `chain:property`:
   * `ethereum:unlimited-allowance`, `bitcoin:sighash-single`. Empty in an ordinary transaction.
   */
  readonly features: readonly string[];
  /** Further facts for people and the log; no rule reads them. */
  readonly details: Readonly<Record<string, string>>;
}

/** The most effects of one transaction: its decoded form still fits into an entry of the log (65,535 bytes). */
export const MAX_EFFECTS = 128;

/**
 * What a signer signs, in bytes: `digest` and a `merkleRoot` that is not empty are 32 bytes long. A key of BLS12-381 signs
 * messages as they are, and its own compressed public key under the suite of proofs of possession,
 * BLS_POP_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_ (draft-irtf-cfrg-bls-signature, 3.3.2).
 */
export type SigningInput =
  | {
      readonly kind: 'message';
      readonly message: Uint8Array;
      /** The key's proof of possession: the message is its own public key. Of BLS12-381 alone. */
      readonly suite?: 'proof-of-possession';
    }
  | { readonly kind: 'digest'; readonly digest: Uint8Array }
  | { readonly kind: 'taproot-sighash'; readonly digest: Uint8Array; readonly merkleRoot: Uint8Array };

/** One signature that a payload needs. `index` is the transaction's input; undefined where there is one signature. */
export interface Signing {
  readonly index?: number;
  readonly input: SigningInput;
}

/** A decoded payload: what rules decide on, and what is signed if they permit it. */
export interface DecodedPayload {
  readonly transaction: Transaction;
  /** At least one. */
  readonly signings: readonly Signing[];
}

/** What a decoder knows beside the payload's bytes; all of it comes from the configuration and the keyring. */
export interface DecodingContext {
  readonly algorithm: string;
  /** Public key of the signing key: raw Ed25519, or compressed SEC1. */
  readonly publicKey: Uint8Array;
  /**
   * CAIP-2 networks that the key serves, from its entry in the configuration. Any number of `eip155`; at most one of
   * each other namespace, whose transactions do not say which network they are for.
   */
  readonly networks: readonly string[];
  /** All keys of the node that the configuration names, for change. */
  readonly ownKeys: readonly { readonly id: string; readonly publicKey: Uint8Array }[];
}
