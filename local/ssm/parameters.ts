import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type AuthenticatedRequest, AwsServiceError, optional, parseInput } from '../aws/plumbing.ts';
import { authorize } from './authorize.ts';

/** Public parameters by which AWS names its machine images. */
const PUBLIC = /^\/aws\/service\/ami-amazon-linux-latest\/[a-z0-9._-]{1,128}$/;
const name = z.string().min(1).max(2_048);
const getSchema = z.object({ Name: name, WithDecryption: optional(z.boolean()) });
const getManySchema = z.object({
  Names: z.array(name).min(1).max(10),
  WithDecryption: optional(z.boolean()),
});

/** Source: AWS Systems Manager API Reference, "GetParameter". */
export function getParameter(request: AuthenticatedRequest): object {
  const { Name } = parseInput(getSchema, request.input);
  const found = find(request, Name);
  if (found === undefined) throw new AwsServiceError('ParameterNotFound', '');
  return { Parameter: found };
}

/** Source: AWS Systems Manager API Reference, "GetParameters". */
export function getParameters(request: AuthenticatedRequest): object {
  const { Names } = parseInput(getManySchema, request.input);
  const found = Names.map((one) => ({ one, parameter: find(request, one) }));
  return {
    Parameters: found.flatMap(({ parameter }) => (parameter === undefined ? [] : [parameter])),
    InvalidParameters: found.filter(({ parameter }) => parameter === undefined).map(({ one }) => one),
  };
}

function find(request: AuthenticatedRequest, Name: string) {
  const arn = `arn:aws:ssm:${request.region}::parameter${Name}`;
  authorize(request, arn);
  if (!PUBLIC.test(Name)) return undefined;
  const digest = createHash('sha256').update(`${request.region}${Name}`).digest('hex');
  return {
    Name,
    Type: 'String',
    Value: `ami-${digest.slice(0, 17)}`,
    Version: 1,
    LastModifiedDate: 1_700_000_000,
    ARN: arn,
    DataType: 'aws:ec2:image',
  };
}
