export { assertNobodyNeedsToAgree, compareWithInForce, type Comparison } from './comparison.ts';
export { encodeEnvelope, signConfiguration } from './envelope.ts';
export { parseConfigurationFile, type ConfigurationFile } from './file.ts';
export { checkSignatures, classifySignatures } from './signatures.ts';
export { assertAuthority, assertNamesManifest, verifyConfiguration, type ConfiguredNode } from './verify.ts';
