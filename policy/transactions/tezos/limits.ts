/** Longest signed payload, in bytes: the chain's limit of an operation is 32 KiB, and headers are shorter. */
export const MAX_PAYLOAD_BYTES = 32 * 1024;
/** Deepest nesting of a Micheline expression. */
export const MAX_MICHELINE_DEPTH = 256;
/** Longest integer of a Micheline expression or of a ticket's amount, in bytes of its encoding. */
export const MAX_INTEGER_BYTES = 1024;
/** Longest encoding of a number below 2^70: every amount, counter and limit of an operation (Octez: `check_size 10 n`). */
export const MAX_NUMBER_BYTES = 10;
/** Longest name of an entrypoint (Octez: `Entrypoint_repr`). */
export const MAX_ENTRYPOINT_LENGTH = 31;
/** Longest annotation of a Micheline node (Octez: `max_annot_length`). */
export const MAX_ANNOTATION_LENGTH = 255;
/** Most characters of Michelson text in the details of one transaction, shared by its operations. */
export const MAX_TEXT_LENGTH = 8 * 1024;
/** Most characters of Michelson text in the details of one effect. */
export const MAX_EFFECT_TEXT_LENGTH = 1024;
