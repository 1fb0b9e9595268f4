export { type CanonicalJson, encodeCanonicalJson } from './canonical.ts';
export { JsonError, type JsonErrorCode } from './errors.ts';
export { MAX_JSON_DEPTH, parseJson, type JsonLimits, type JsonObject, type JsonValue } from './parse.ts';
