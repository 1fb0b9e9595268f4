import type { AuthenticatedRequest, AwsService, StateStore } from '../aws/plumbing.ts';
import {
  createSecret,
  describeSecret,
  getSecretValue,
  listSecrets,
  putSecretValue,
  updateSecretVersionStage,
} from './operations.ts';
import {
  deleteResourcePolicy,
  deleteSecret,
  getResourcePolicy,
  putResourcePolicy,
  updateSecret,
} from './secrets.ts';
import { SecretStore } from './secret-store.ts';

/** Creates AWS Secrets Manager as far as the parent needs it. */
export function createSecretsManagerService({ state }: { readonly state: StateStore }): AwsService {
  const secrets = new SecretStore(state);
  const bind =
    (operation: (secrets: SecretStore, request: AuthenticatedRequest) => object) =>
    (request: AuthenticatedRequest): object =>
      operation(secrets, request);
  return {
    name: 'secretsmanager',
    targetPrefix: 'secretsmanager',
    operations: {
      CreateSecret: bind(createSecret),
      DeleteResourcePolicy: bind(deleteResourcePolicy),
      DeleteSecret: bind(deleteSecret),
      DescribeSecret: bind(describeSecret),
      GetSecretValue: bind(getSecretValue),
      GetResourcePolicy: bind(getResourcePolicy),
      ListSecrets: bind(listSecrets),
      PutResourcePolicy: bind(putResourcePolicy),
      PutSecretValue: bind(putSecretValue),
      UpdateSecret: bind(updateSecret),
      UpdateSecretVersionStage: bind(updateSecretVersionStage),
    },
  };
}
