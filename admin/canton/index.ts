export { CantonError } from './errors.ts';
export { type Description, kmsValidators, MAX_DESCRIPTION_BYTES, parseDescription } from './description.ts';
export { renderDescription } from './render/index.ts';
