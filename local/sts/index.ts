import { z } from 'zod';
import {
  buildRequestContext,
  evaluateIdentityPolicies,
  evaluateKeyPolicy,
} from '../../attestation/key-policy/index.ts';
import { callerArn, type PrincipalDirectory } from '../aws/directory.ts';
import {
  AwsServiceError,
  globalContext,
  parseInput,
  type AuthenticatedRequest,
  type QueryService,
} from '../aws/plumbing.ts';

const assumeSchema = z.object({
  RoleArn: z.string().min(20).max(2048),
  RoleSessionName: z
    .string()
    .min(2)
    .max(64)
    .regex(/^[\w+=,.@-]*$/),
  DurationSeconds: z.coerce.number().int().min(900).max(43_200).optional(),
  ExternalId: z
    .string()
    .min(2)
    .max(1224)
    .regex(/^[\w+=,.@:/-]*$/)
    .optional(),
  SourceIdentity: z.string().min(2).max(64).optional(),
  // Session policies, tags and MFA would have to count; the stand-in knows none.
  Policy: z.undefined().optional(),
  PolicyArns: z.undefined().optional(),
  Tags: z.undefined().optional(),
  SerialNumber: z.undefined().optional(),
  TokenCode: z.undefined().optional(),
});

/** Maximum of a session that another session's credentials ask for, in seconds: AWS's limit of role chaining. */
const MAX_CHAINED = 3600;

/** Creates AWS STS: who a credential speaks for, and sessions of roles by their trust policies. */
export function createStsService({ directory }: { readonly directory: PrincipalDirectory }): QueryService {
  return {
    protocol: 'query',
    name: 'sts',
    version: '2011-06-15',
    namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
    operations: {
      AssumeRole: (request) => assumeRole(directory, request),
      GetCallerIdentity: getCallerIdentity,
    },
  };
}

/** Source: AWS STS API Reference, "GetCallerIdentity". It needs no permission. */
function getCallerIdentity({ credential }: AuthenticatedRequest): object {
  const { caller, userId } = credential;
  return { UserId: userId, Account: caller.accountId, Arn: callerArn(caller) };
}

/**
 * The caller's own policies and the role's trust policy decide together: within an account a trust policy that names
 * the caller is enough, otherwise both have to allow. Source: AWS STS API Reference, "AssumeRole".
 */
function assumeRole(directory: PrincipalDirectory, request: AuthenticatedRequest): object {
  const input = parse(request);
  const { RoleArn: roleArn, RoleSessionName: sessionName } = input;
  const { caller, policies } = request.credential;
  const role = directory.findRole(roleArn);
  const action = 'sts:AssumeRole';
  const context = buildRequestContext([
    ...globalContext(request),
    ['sts:ExternalId', input.ExternalId],
    ['sts:RoleSessionName', sessionName],
    ['sts:SourceIdentity', input.SourceIdentity],
  ]);
  const identity = evaluateIdentityPolicies(policies, { action, resource: roleArn, context });
  const isAllowed =
    role?.trust !== undefined &&
    caller.type !== 'root' &&
    evaluateKeyPolicy(role.trust, { action, caller, keyArn: roleArn, context, identity }).decision ===
      'allow';
  if (role === undefined || !isAllowed) {
    throw new AwsServiceError(
      'AccessDenied',
      `User: ${callerArn(caller)} is not authorized to perform: ${action} on resource: ${roleArn}`,
      403,
    );
  }
  const durationSeconds = input.DurationSeconds ?? 3600;
  if (caller.type === 'session' && durationSeconds > MAX_CHAINED) {
    throw validationError(
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
    );
  }
  if (durationSeconds > role.maxSessionDuration) {
    throw validationError('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
  }
  const made = directory.assumeRole({ roleArn, sessionName, durationSeconds });
  return {
    Credentials: {
      AccessKeyId: made.accessKeyId,
      SecretAccessKey: made.secretAccessKey,
      SessionToken: made.sessionToken,
      Expiration: made.expiration,
    },
    AssumedRoleUser: {
      AssumedRoleId: `${role.id}:${sessionName}`,
      Arn: `arn:aws:sts::${role.accountId}:assumed-role/${role.name}/${sessionName}`,
    },
  };
}

function parse({ input }: AuthenticatedRequest): z.output<typeof assumeSchema> {
  try {
    return parseInput(assumeSchema, input);
  } catch (error) {
    if (error instanceof AwsServiceError) throw validationError(error.message);
    throw error;
  }
}

function validationError(message: string): AwsServiceError {
  return new AwsServiceError('ValidationError', message);
}
