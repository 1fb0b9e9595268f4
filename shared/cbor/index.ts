export { decodeCbor, MAX_CBOR_DEPTH, type CborLimits } from './decode.ts';
export { encodeCbor, type CborEncodable } from './encode.ts';
export { CborError, type CborErrorCode } from './errors.ts';
export { decodeCborObject, toPlainCbor } from './object.ts';
export type { CborKey, CborObject, CborPlain, CborValue } from './value.ts';
