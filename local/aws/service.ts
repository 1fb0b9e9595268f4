import { buildRequestContext, type RequestContext } from '../../attestation/key-policy/index.ts';
import type { AwsServiceError } from '../../shared/aws-json/index.ts';
import type { RequestHead, SignatureRefusal } from '../../shared/aws-sigv4/index.ts';
import { callerArn, type Credential } from './directory.ts';
import type { ReceivedBody } from './received-body.ts';

/** What a verified signature, or its absence, says of a request. */
export interface RequestFacts {
  readonly operation: string;
  readonly region: string;
  readonly sourceIp: string;
  /** Time of the request by the clock of the local AWS, milliseconds since 1970. */
  readonly now: number;
  /** Principal of the AWS service that calls for the caller: `cloudformation.amazonaws.com`; absent for a direct call. */
  readonly calledVia?: string;
}

/** Request whose signature was verified. */
export interface AuthenticatedRequest extends RequestFacts {
  /**
   * Input, not yet looked at: the JSON body; or, of the query protocol, its parameters as an object, where lists are
   * arrays and every other value is text.
   */
  readonly input: unknown;
  readonly credential: Credential;
  /** Principal of the AWS service that calls for the caller: `cloudformation.amazonaws.com`; absent for a direct call. */
  readonly calledVia?: string;
}

/** Operations by AWS's names. */
export type Operations = Readonly<Record<string, (request: AuthenticatedRequest) => unknown>>;

/** AWS service that speaks the JSON 1.1 protocol. */
export interface JsonService {
  readonly protocol?: 'json';
  /** Name as in the service's host name and in a signature's scope. */
  readonly name: string;
  /** Prefix of `X-Amz-Target`. */
  readonly targetPrefix: string;
  /** What an operation returns, or its promise fulfils, is the JSON body. */
  readonly operations: Operations;
}

/** AWS service that speaks the query protocol: parameters of a form in, XML out. */
export interface QueryService {
  readonly protocol: 'query';
  /** Name as in the service's host name and in a signature's scope. */
  readonly name: string;
  /** Parameter `Version` of every request. */
  readonly version: string;
  /** XML namespace of every response. */
  readonly namespace: string;
  /**
   * What an operation returns, or its promise fulfils, is the content of its `…Result` element (xml.ts, `encodeMembers`);
   * undefined for an operation without one.
   */
  readonly operations: Operations;
}

/** Request to a service that goes by method and path. */
export interface RestRequest extends RequestFacts, RequestHead {
  /** Host header as it was sent. */
  readonly host: string;
  /** Absent for an anonymous request. */
  readonly credential: Credential | undefined;
  /** True for a pre-signed URL. */
  readonly isUrl: boolean;
  readonly body: ReceivedBody;
  readonly requestId: string;
}

/** Response of a service that goes by method and path. */
export interface RestResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes, or a part of a file; the length of a file that a HEAD does not get. */
  readonly body: Uint8Array | FilePart;
}

/** Part of a file, from a first byte, so many. */
export interface FilePart {
  readonly path: string;
  readonly start: number;
  readonly length: number;
}

/** AWS service that goes by method and path: S3 and Lambda. */
export interface RestService {
  readonly protocol: 'rest';
  /** Name as in the service's host name and in a signature's scope. */
  readonly name: string;
  /** `once` for S3 alone. */
  readonly pathEncoding: 'once' | 'twice';
  /** Milliseconds by which a request's time may differ from the server's. */
  readonly maxSkew: number;
  /** Largest body in bytes. */
  readonly maxBodyBytes: number;
  /**
   * Folder for bodies, which then never lie in memory, and are authenticated as S3 does: pre-signed URLs, anonymous
   * requests, unsigned bodies and bodies in chunks are taken. Bodies go into memory when left out.
   */
  readonly bodyFolder?: string;
  /** Name of the operation that a head asks for. @throws AwsServiceError */
  readonly route: (head: RequestHead) => string;
  readonly handle: (request: RestRequest) => Promise<RestResponse>;
  /** Refusal as the service words it; called for errors of signatures, too. */
  readonly encodeError: (error: AwsServiceError | SignatureRefusal, stamp: ResponseStamp) => RestResponse;
}

export interface ResponseStamp {
  readonly requestId: string;
  readonly now: number;
  /** Path of the request, for errors that name it. */
  readonly path: string;
}

export type AwsService = JsonService | QueryService | RestService;

/** Global condition keys that any request carries. Source: IAM User Guide, "AWS global condition context keys". */
export function globalContext(request: Omit<AuthenticatedRequest, 'input' | 'operation'>): RequestContext {
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
    ['aws:ViaAWSService', String(request.calledVia !== undefined)],
    ['aws:CalledVia', request.calledVia],
    ['aws:CalledViaFirst', request.calledVia],
    ['aws:CalledViaLast', request.calledVia],
  ]);
}
