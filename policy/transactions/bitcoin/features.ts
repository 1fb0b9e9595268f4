/**
 * Properties of a transaction that a rule has to name before it permits them.
 */
export const BITCOIN_FEATURES = {
  /**
   * An input that is not the signing key's: other people's money is part of the fee, and the transaction is no transfer
   * of one owner.
   */
  foreignInput: 'bitcoin:foreign-input',
  /** A field of the PSBT that nothing here reads: proprietary, or of a proposal that this image does not know. */
  unknownField: 'bitcoin:unknown-field',
  /** A signature that commits to no output: whoever holds it sends the input's amount anywhere. */
  sighashNone: 'bitcoin:sighash-none',
  /** A signature that commits to the output of its own index alone. */
  sighashSingle: 'bitcoin:sighash-single',
  /** A signature that commits to its own input alone: others may be added or taken away. */
  sighashAnyoneCanPay: 'bitcoin:sighash-anyone-can-pay',
  /** An input of the key's whose PSBT has scripts that can spend it too; the key signs the key path alone. */
  scriptPath: 'bitcoin:script-path',
  /** An output whose script has no address: a bare key or multisig, or anything else. */
  nonstandardOutput: 'bitcoin:nonstandard-output',
  /** An output to a witness program without a meaning as yet: anybody can spend it. */
  unknownWitnessProgram: 'bitcoin:unknown-witness-program',
} as const;
