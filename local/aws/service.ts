import { buildRequestContext, type RequestContext } from '../../attestation/key-policy/index.ts';
import { callerArn, type Credential } from './directory.ts';

/** A request whose signature was verified. */
export interface AuthenticatedRequest {
  readonly operation: string;
  /** The JSON body, not yet looked at. */
  readonly input: unknown;
  readonly credential: Credential;
  readonly region: string;
  readonly sourceIp: string;
  /** Milliseconds since 1970, by the clock of the local AWS. */
  readonly now: number;
}

/** One AWS service that speaks the JSON 1.1 protocol. */
export interface AwsService {
  /** As in its host name and in a signature's scope. */
  readonly name: string;
  /** What `X-Amz-Target` begins with. */
  readonly targetPrefix: string;
  readonly operations: Readonly<Record<string, (request: AuthenticatedRequest) => unknown>>;
}

/**
 * The global condition keys that any request carries.
 * Source: IAM User Guide, "AWS global condition context keys".
 */
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
