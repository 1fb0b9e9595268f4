import { buildRequestContext, type RequestContext } from '../../attestation/key-policy/index.ts';
import { callerArn, type Credential } from './directory.ts';

/** Request whose signature was verified. */
export interface AuthenticatedRequest {
  readonly operation: string;
  /** JSON body, not yet looked at. */
  readonly input: unknown;
  readonly credential: Credential;
  readonly region: string;
  readonly sourceIp: string;
  /** Time of the request by the clock of the local AWS, milliseconds since 1970. */
  readonly now: number;
}

/** AWS service that speaks the JSON 1.1 protocol. */
export interface AwsService {
  /** Name as in the service's host name and in a signature's scope. */
  readonly name: string;
  /** Prefix of `X-Amz-Target`. */
  readonly targetPrefix: string;
  readonly operations: Readonly<Record<string, (request: AuthenticatedRequest) => unknown>>;
}

/** Global condition keys that any request carries. Source: IAM User Guide, "AWS global condition context keys". */
export function globalContext(request: AuthenticatedRequest): RequestContext {
  const { caller, userId, issuedAt } = request.credential;
  const principalArn = caller.type === 'session' ? caller.roleArn : callerArn(caller);
  const types = { session: 'AssumedRole', user: 'User', root: 'Account' } as const;
  return buildRequestContext([
    ['aws:PrincipalArn', principalArn],
    ['aws:PrincipalAccount', caller.accountId],
    ['aws:PrincipalType', types[caller.type]],
    ['aws:PrincipalIsAWSService', 'false'],
    ['aws:userid', userId],
    ['aws:username', caller.type === 'user' ? principalArn.split('/').at(-1) : undefined],
    ['aws:TokenIssueTime', caller.type === 'session' ? new Date(issuedAt).toISOString() : undefined],
    ['aws:CurrentTime', new Date(request.now).toISOString()],
    ['aws:EpochTime', String(Math.floor(request.now / 1000))],
    ['aws:RequestedRegion', request.region],
    ['aws:SecureTransport', 'true'],
    ['aws:SourceIp', request.sourceIp],
    ['aws:ViaAWSService', 'false'],
  ]);
}
