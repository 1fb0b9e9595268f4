import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { type KMSClient, ScheduleKeyDeletionCommand } from '@aws-sdk/client-kms';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SSMClient } from '@aws-sdk/client-ssm';
import type { STSClient } from '@aws-sdk/client-sts';
import type { AssumptionId } from './assumptions.ts';

/** Clients with the credentials of one account. */
export interface AccountClients {
  readonly cloudFormation: CloudFormationClient;
  readonly kms: KMSClient;
  readonly s3: S3Client;
  readonly secretsManager: SecretsManagerClient;
  readonly ssm: SSMClient;
  readonly sts: STSClient;
}

/** What probes share. */
export interface ProbeContext {
  readonly region: string;
  /** Of this run alone: begins the names of all that it makes, at most 12 characters. */
  readonly prefix: string;
  /** The account of a node admin, and ARN of the role or user whose credentials these are. */
  readonly node: AccountClients & { readonly accountId: string; readonly principalArn: string };
  /** The account of the infrastructure. */
  readonly infrastructure: AccountClients & { readonly accountId: string };
  /** Has something ended after the run, whatever happens: what, for people, and how. The last comes first. */
  readonly endLater: (what: string, end: () => Promise<unknown>) => void;
  /** Keeps a value for later probes. */
  readonly kept: Map<string, string>;
  readonly signal: AbortSignal;
}

/** Has a key end after the run, in the thirty days that its policy leaves it. */
export function endKeyLater({ node, endLater }: ProbeContext, keyId: string): void {
  endLater(`key ${keyId}: deleted in thirty days`, () =>
    node.kms.send(new ScheduleKeyDeletionCommand({ KeyId: keyId, PendingWindowInDays: 30 })),
  );
}

/** One look at AWS. */
export interface Probe {
  readonly assumption: AssumptionId;
  /** Resolves with what was seen, in a few words; rejects with {@link DoesNotHold}, or with whatever stood in its way. */
  readonly look: (context: ProbeContext) => Promise<string>;
}

/** AWS has answered otherwise than the code expects; the message says how. */
export class DoesNotHold extends Error {}

/** Returns the name of the error with which AWS refuses a call. @throws DoesNotHold where AWS does not refuse it */
export async function nameOfRefusal(call: Promise<unknown>, what: string): Promise<string> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Error && '$metadata' in error) return error.name;
    throw error;
  }
  throw new DoesNotHold(`expected a refusal, and ${what} was answered`);
}

/** Asserts that AWS refuses a call by one of these errors. @throws DoesNotHold */
export async function assertRefused(
  call: Promise<unknown>,
  what: string,
  names: readonly string[],
): Promise<string> {
  const name = await nameOfRefusal(call, what);
  if (!names.includes(name)) throw new DoesNotHold(`${what}: expected ${names.join(' or ')}, found ${name}`);
  return `${what}: ${name}`;
}
