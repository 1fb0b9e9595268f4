export { type BerElement, parseBer } from './ber.ts';
export { BerError, type DerErrorCode } from './errors.ts';
export * from './writer.ts';
