export { type BerElement, parseBer } from './ber.ts';
export { DER_TAG, DerReader } from './der-reader.ts';
export { BerError, type DerErrorCode } from './errors.ts';
export * from './writer.ts';
