export { AwsServiceError } from './errors.ts';
export { blob, optional, parseInput } from './input.ts';
export { joinHeaders, parseBody, parseTarget, unknownTarget } from './request.ts';
export { encodeError, encodeOutput, type AwsResponse } from './response.ts';
export { type SigningCredential, verifySignature } from '../aws-sigv4/index.ts';
