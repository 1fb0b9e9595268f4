import { AwsServiceError } from '../aws-json/errors.ts';

/** What is wrong with a signature, for services whose names of the refusals differ from those of AWS JSON. */
export type SignatureProblem =
  /** There is no signature. */
  | 'absent'
  /** The signature's own fields are not those of Signature Version 4. */
  | 'incomplete'
  /** The access key is unknown. */
  | 'unknown-key'
  /** The session token is missing, or is not the access key's. */
  | 'wrong-token'
  | 'expired-token'
  /** The request's time is too far from the server's. */
  | 'skewed'
  /** A pre-signed URL is past its end. */
  | 'expired-url'
  | 'wrong-region'
  | 'wrong-service'
  /** A field that has to be signed is not, or the other way round. */
  | 'headers'
  /** The body is not the one that was signed. */
  | 'payload'
  | 'mismatch';

/** Refusal of a signature under the name that AWS JSON 1.1 has for it. */
export class SignatureRefusal extends AwsServiceError {
  readonly problem: SignatureProblem;
  /** Region that was expected, where another is the problem. */
  readonly region: string | undefined;

  constructor(problem: SignatureProblem, message: string, region?: string) {
    super(JSON_NAMES[problem], message);
    this.problem = problem;
    this.region = region;
  }
}

const INVALID = 'InvalidSignatureException';
const JSON_NAMES: Readonly<Record<SignatureProblem, string>> = {
  absent: 'MissingAuthenticationTokenException',
  incomplete: 'IncompleteSignatureException',
  'unknown-key': 'UnrecognizedClientException',
  'wrong-token': 'UnrecognizedClientException',
  'expired-token': 'ExpiredTokenException',
  skewed: INVALID,
  'expired-url': INVALID,
  'wrong-region': INVALID,
  'wrong-service': INVALID,
  headers: INVALID,
  payload: INVALID,
  mismatch: INVALID,
};

/** Creates the refusal of a signature that was made with another key, or over another request. */
export function mismatch(): SignatureRefusal {
  return new SignatureRefusal(
    'mismatch',
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  );
}
