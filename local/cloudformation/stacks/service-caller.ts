import { randomBytes } from 'node:crypto';
import type { IdentityPolicy } from '../../../attestation/key-policy/index.ts';
import { AwsServiceError, type AuthenticatedRequest } from '../../aws/plumbing.ts';
import type { Credential } from '../../aws/directory.ts';
import type { Actor } from './stack-record.ts';

/** Service whose operations can be called in process. */
export interface CallableService {
  readonly name: string;
  readonly operations: Readonly<Record<string, (request: AuthenticatedRequest) => unknown>>;
}

/** Calls a service in process, with the policies of the actor. */
export type ServiceCaller = (
  actor: Actor,
  region: string,
  service: string,
  operation: string,
  input: object,
) => Promise<Readonly<Record<string, unknown>>>;

/** Makes the caller of services. The list may grow until the first call. */
export function makeServiceCaller(services: readonly CallableService[], clock: () => number): ServiceCaller {
  return async (actor, region, service, operation, input) => {
    const { operations = {} } = services.find(({ name }) => name === service) ?? {};
    const handle = Object.hasOwn(operations, operation) ? operations[operation] : undefined;
    if (handle === undefined) {
      throw new AwsServiceError('UnknownOperationException', `${service} has no ${operation} here`);
    }
    const output = await handle({
      operation,
      input,
      credential: credentialOf(actor),
      region,
      sourceIp: actor.sourceIp,
      now: clock(),
      calledVia: 'cloudformation.amazonaws.com',
    });
    return (output ?? {}) as Readonly<Record<string, unknown>>;
  };
}

/** Credential of an actor for calls in process; nothing is ever signed with its secret. */
function credentialOf({ caller, policies, userId, issuedAt }: Actor): Credential {
  return {
    accessKeyId: 'ASIAINPROCESS',
    secretAccessKey: randomBytes(30).toString('base64'),
    caller,
    policies: policies as readonly IdentityPolicy[],
    userId,
    issuedAt,
  };
}
