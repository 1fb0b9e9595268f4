import { AwsServiceError } from '../aws/plumbing.ts';

/** Refusals of Lambda and their HTTP status. Source: Lambda API Reference. */
const STATUS = {
  AccessDeniedException: 403,
  InvalidParameterValueException: 400,
  InvalidRequestContentException: 400,
  InvalidZipFileException: 502,
  PolicyLengthExceededException: 400,
  PreconditionFailedException: 412,
  RequestTooLargeException: 413,
  ResourceConflictException: 409,
  ResourceNotFoundException: 404,
  TooManyRequestsException: 429,
  ValidationException: 400,
} as const;

/** Creates a refusal of Lambda. */
export function lambdaError(code: keyof typeof STATUS, message: string): AwsServiceError {
  return new AwsServiceError(code, message, STATUS[code]);
}
