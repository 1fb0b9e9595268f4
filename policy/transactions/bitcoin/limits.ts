/** Most inputs of a transaction: each may need a signature, and a quorum's signers meet for each. */
export const MAX_INPUTS = 128;
/** Most outputs of a transaction: each is an effect, but for change. */
export const MAX_OUTPUTS = 128;
/** Most key-value pairs of a PSBT, over all its maps: each is an object in memory. */
export const MAX_FIELDS = 8192;
/** All bitcoin that there will ever be, in satoshi: consensus refuses an amount above (MAX_MONEY). */
export const MAX_AMOUNT = 2_100_000_000_000_000n;
