import { customProvider } from './resources/custom.ts';
import { ec2Providers, type InstanceHooks } from './resources/ec2.ts';
import { IAM_PROVIDERS } from './resources/iam.ts';
import { KMS_PROVIDERS } from './resources/kms.ts';
import { LAMBDA_PROVIDERS } from './resources/lambda.ts';
import { RECORD_PROVIDERS } from './resources/records.ts';
import { ResourceRegistry } from './resources/registry.ts';
import type { ResponseBox } from './resources/response-box.ts';
import { S3_PROVIDERS } from './resources/s3.ts';
import { SECRETS_PROVIDERS } from './resources/secrets.ts';
import { readObjectBy } from './resources/template-object.ts';

export { createCloudFormation, type CloudFormation } from './cloudformation.ts';
export type { InstanceHooks, LaunchedInstance } from './resources/ec2.ts';
export { RECORD_SERVICES } from './resources/records.ts';
export { createRecordsService } from './resources/records-service.ts';
export { ResponseBox } from './resources/response-box.ts';

/** Makes the registry of all types that the stand-in has. */
export function createRegistry(box: ResponseBox, hooks?: InstanceHooks): ResourceRegistry {
  return new ResourceRegistry(
    {
      ...KMS_PROVIDERS,
      ...IAM_PROVIDERS,
      ...S3_PROVIDERS,
      ...SECRETS_PROVIDERS,
      ...LAMBDA_PROVIDERS,
      ...RECORD_PROVIDERS,
      ...ec2Providers(hooks),
    },
    customProvider(box),
  );
}

export { readObjectBy };
