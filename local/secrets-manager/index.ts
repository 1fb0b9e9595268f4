import type { AuthenticatedRequest, AwsService, StateStore } from '../aws/plumbing.ts';
import {
  createSecret,
  describeSecret,
  getSecretValue,
  listSecrets,
  putSecretValue,
  updateSecretVersionStage,
} from './operations.ts';
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
      DescribeSecret: bind(describeSecret),
      GetSecretValue: bind(getSecretValue),
      ListSecrets: bind(listSecrets),
      PutSecretValue: bind(putSecretValue),
      UpdateSecretVersionStage: bind(updateSecretVersionStage),
    },
  };
}
