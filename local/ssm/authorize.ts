import { buildRequestContext, evaluateIdentityPolicies } from '../../attestation/key-policy/index.ts';
import { type AuthenticatedRequest, AwsServiceError, callerArn, globalContext } from '../aws/plumbing.ts';

/** Lets the caller's own policies decide. @throws AwsServiceError AccessDeniedException */
export function authorize(request: AuthenticatedRequest, resource: string): void {
  const { caller, policies } = request.credential;
  if (caller.type === 'root') return;
  const action = `ssm:${request.operation}`;
  const context = buildRequestContext([...globalContext(request)]);
  if (evaluateIdentityPolicies(policies, { action, resource, context }) === 'allow') return;
  throw new AwsServiceError(
    'AccessDeniedException',
    `User: ${callerArn(caller)} is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`,
  );
}

/** Account and Region of a request. */
export function placeOf({ credential, region }: AuthenticatedRequest) {
  return { accountId: credential.caller.accountId, region };
}
