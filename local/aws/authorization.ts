import { buildRequestContext, evaluateIdentityPolicies } from '../../attestation/key-policy/index.ts';
import { AwsServiceError } from '../../shared/aws-json/index.ts';
import { callerArn } from './directory.ts';
import { globalContext, type AuthenticatedRequest } from './service.ts';

/** Permission that a request needs. */
export interface NeededPermission {
  /** `cloudformation:CreateStack`, … */
  readonly action: string;
  readonly resource: string;
  /** Service condition keys; undefined for an absent one. */
  readonly keys?: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/**
 * Asserts that the caller's own policies allow something, where no policy of the resource has a say. The root user of
 * an account may do everything in it.
 * @throws AwsServiceError AccessDenied
 */
export function assertAllowed(
  request: AuthenticatedRequest,
  { action, resource, keys = {} }: NeededPermission,
): void {
  const { caller, policies } = request.credential;
  if (caller.type === 'root') return;
  const context = buildRequestContext([...globalContext(request), ...Object.entries(keys)]);
  const decision = evaluateIdentityPolicies(policies, { action, resource, context });
  if (decision === 'allow') return;
  const why =
    decision === 'deny'
      ? 'with an explicit deny in an identity-based policy'
      : `because no identity-based policy allows the ${action} action`;
  throw new AwsServiceError(
    'AccessDenied',
    `User: ${callerArn(caller)} is not authorized to perform: ${action} on resource: ${resource} ${why}`,
    403,
  );
}
