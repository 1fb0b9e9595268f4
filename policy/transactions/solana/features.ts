/** Properties of a Solana message that a rule has to name before it permits them. */
export const SOLANA_FEATURES = {
  /** Accounts come from address tables, which only the chain can resolve. */
  addressTable: 'solana:address-table',
  /** The message does not expire: its first instruction advances a nonce account, as the runtime tests it. */
  durableNonce: 'solana:durable-nonce',
  /** Others have to sign too, so the message may do with their accounts what their signature allows. */
  otherSigners: 'solana:other-signers',
  /** Another signer pays the fee. */
  otherFeePayer: 'solana:other-fee-payer',
  /** A delegate may take all of a token account, whatever comes into it. */
  unlimitedAllowance: 'solana:unlimited-allowance',
  /** Another key gets authority over a token account, a mint, a stake account or a nonce account. */
  setAuthority: 'solana:set-authority',
  /** A token account is closed; all lamports in it, for wrapped SOL the whole balance, go elsewhere. */
  closeAccount: 'solana:close-account',
  /** Tokens come into being. */
  mint: 'solana:mint',
  /** Tokens are destroyed. */
  burn: 'solana:burn',
} as const;
export type SolanaFeature = (typeof SOLANA_FEATURES)[keyof typeof SOLANA_FEATURES];
