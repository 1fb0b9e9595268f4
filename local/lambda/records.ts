import { z } from 'zod';

/** Runtimes that functions run as. All run on the Node of this process. */
export const RUNTIMES = ['nodejs20.x', 'nodejs22.x', 'nodejs24.x'] as const;

const NAME = /^[A-Za-z0-9-_]{1,64}$/;
const HANDLER = /^[^\s]{1,128}$/;
const ROLE = /^arn:aws[a-z-]*:iam::[0-9]{12}:role\/?[\w+=,.@\-/]+$/;
const VARIABLE = /^[A-Za-z][A-Za-z0-9_]+$/;

/** What a client says of a function, beside its code. */
export const settingsSchema = z.strictObject({
  runtime: z.enum(RUNTIMES),
  handler: z.string().regex(HANDLER),
  role: z.string().regex(ROLE),
  description: z.string().max(256),
  /** Seconds. */
  timeout: z.int().min(1).max(900),
  /** Megabytes. */
  memory: z.int().min(128).max(10_240),
  variables: z.record(z.string().regex(VARIABLE), z.string().max(4096)),
  architecture: z.enum(['x86_64', 'arm64']),
});
export type FunctionSettings = Readonly<z.output<typeof settingsSchema>>;

/** Statement of a function's policy, as AddPermission makes it. */
export const statementSchema = z.strictObject({
  Sid: z.string(),
  Effect: z.literal('Allow'),
  Principal: z.union([
    z.literal('*'),
    z.strictObject({ AWS: z.string() }),
    z.strictObject({ Service: z.string() }),
  ]),
  Action: z.string(),
  Resource: z.string(),
  Condition: z.record(z.string(), z.record(z.string(), z.string())).optional(),
});
export type PermissionStatement = Readonly<z.output<typeof statementSchema>>;

export const functionSchema = z.strictObject({
  name: z.string().regex(NAME),
  accountId: z.string(),
  region: z.string(),
  settings: settingsSchema,
  /** Name of the file of the code, its SHA-256 in base64, and its length in bytes. */
  code: z.strictObject({ file: z.string(), sha256: z.string(), size: z.number() }),
  modifiedAt: z.number(),
  revisionId: z.string(),
  policy: z.array(statementSchema),
  tags: z.record(z.string(), z.string()),
});
/** Function as it is now: the version `$LATEST`. Times are milliseconds since 1970. */
export type LambdaFunction = Readonly<z.output<typeof functionSchema>>;

/** ARN of a function. */
export function arnOf({
  region,
  accountId,
  name,
}: Pick<LambdaFunction, 'region' | 'accountId' | 'name'>): string {
  return `arn:aws:lambda:${region}:${accountId}:function:${name}`;
}
