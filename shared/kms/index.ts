export {
  describeKind,
  describeMetadata,
  isMultiRegion,
  KEY_STATES,
  type KeyDescription,
} from './describe-key.ts';
export {
  arnPrefix,
  assertAliasName,
  invalidKeyId,
  parseKeyArn,
  parseKeyName,
  type Scope,
} from './key-names.ts';
export {
  type Curve,
  type EncryptionAlgorithm,
  isKeySpec,
  KEY_SPEC_NAMES,
  KEY_USAGES,
  type KeySpec,
  specDetails,
} from './key-spec.ts';
export { readKeyKind } from './new-key.ts';
export { type PageRequest, paginate } from './pages.ts';
export * from './parameters.ts';
export * from './refusals.ts';
export * from './schemas.ts';
export { mergeTags, readTags, type Tags } from './tags.ts';
