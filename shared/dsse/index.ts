export * from './envelope.ts';
export * from './parsing.ts';
export { encodeDigestPae, encodePae } from './pae.ts';
