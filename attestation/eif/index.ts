export { type BuildOptions, type BuiltEif, buildEif, type EifParts } from './build.ts';
export { describeEif, type DescribeOptions, type EifDescription } from './describe.ts';
export { EifError, type EifErrorCode } from './errors.ts';
export { createSideWork, type EifMeasurements, type SideResult, type SideWork } from './measurement.ts';
export { DEFAULT_METADATA, type EifMetadata } from './metadata.ts';
export { type EifSigner } from './signature.ts';
export { createLocalSigner } from './signer.ts';
export { CHUNK_BYTES, type EifSink, type EifSource, memorySource } from './source.ts';
export { verifyEif, type VerifiedEif } from './verify.ts';
