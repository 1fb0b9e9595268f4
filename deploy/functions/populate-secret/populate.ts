import { createHash } from 'node:crypto';
import {
  DescribeSecretCommand,
  PutSecretValueCommand,
  UpdateSecretVersionStageCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { PopulateError } from './errors.ts';
import type { PopulateRequest, ResponseAddress } from './event.ts';

/** 256 bits: nobody guesses it. */
const KEY_BYTES = 32;

export interface PopulateOptions {
  readonly client: Pick<SecretsManagerClient, 'send'>;
  readonly random: (bytes: number) => Uint8Array;
  readonly signal: AbortSignal;
}

/** Attempts where another invocation moves labels at the same time. */
const MAX_ATTEMPTS = 4;

/**
 * Makes a generation of a secret the current one: makes it where it is not there, once. Its version has an id that follows
 * from stack, resource and generation, so that whoever repeats a request finds what the first attempt made; the content is
 * never read. The version that was current stays readable as AWSPREVIOUS.
 *
 * @throws PopulateError POPULATE_GENERATION_OLD; errors of the SDK
 *
 * Source: AWS Secrets Manager User Guide, "Rotation by Lambda function" and "Secret versions".
 */
export async function populateSecret(
  request: PopulateRequest,
  address: Pick<ResponseAddress, 'stackId' | 'logicalResourceId'>,
  options: PopulateOptions,
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await converge(request, address, options);
    } catch (error) {
      const isRace = error instanceof Error && error.name === 'InvalidParameterException';
      if (!isRace || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

async function converge(
  request: PopulateRequest,
  address: Pick<ResponseAddress, 'stackId' | 'logicalResourceId'>,
  options: PopulateOptions,
): Promise<void> {
  const { secretId, generation, oldGeneration } = request;
  const version = nameVersion(address, secretId, generation);
  let stages = await readStages(secretId, options);
  // An update that is rolled back asks for the generation before, which is AWSPREVIOUS then.
  if (
    oldGeneration !== undefined &&
    generation < oldGeneration &&
    !has(stages, version, 'AWSCURRENT', 'AWSPREVIOUS')
  )
    throw new PopulateError(
      'POPULATE_GENERATION_OLD',
      `generation ${generation} is before ${oldGeneration}, and not the previous secret: expected a greater one`,
    );
  if (!stages.has(version)) {
    await putPending(secretId, version, options);
    stages = await readStages(secretId, options);
  }
  if (!has(stages, version, 'AWSCURRENT')) {
    const current = [...stages].find(([, labels]) => labels.includes('AWSCURRENT'))?.[0];
    await moveStage(secretId, 'AWSCURRENT', { to: version, from: current }, options);
    stages = await readStages(secretId, options);
  }
  if (has(stages, version, 'AWSPENDING'))
    await moveStage(secretId, 'AWSPENDING', { to: undefined, from: version }, options);
}

/** Names the version of a generation: 64 hex digits, which Secrets Manager takes as ClientRequestToken. */
export function nameVersion(
  { stackId, logicalResourceId }: Pick<ResponseAddress, 'stackId' | 'logicalResourceId'>,
  secretId: string,
  generation: number,
): string {
  const name = JSON.stringify([stackId, logicalResourceId, secretId, generation]);
  return createHash('sha256').update(name).digest('hex');
}

type Stages = ReadonlyMap<string, readonly string[]>;

const has = (stages: Stages, version: string, ...labels: readonly string[]) =>
  labels.some((label) => stages.get(version)?.includes(label) === true);

async function readStages(secretId: string, { client, signal }: PopulateOptions): Promise<Stages> {
  const { VersionIdsToStages: found = {} } = await client.send(
    new DescribeSecretCommand({ SecretId: secretId }),
    {
      abortSignal: signal,
    },
  );
  return new Map(Object.entries(found));
}

async function putPending(
  secretId: string,
  version: string,
  { client, random, signal }: PopulateOptions,
): Promise<void> {
  const apiKey = Buffer.from(random(KEY_BYTES)).toString('base64url');
  try {
    await client.send(
      new PutSecretValueCommand({
        SecretId: secretId,
        ClientRequestToken: version,
        VersionStages: ['AWSPENDING'],
        SecretString: JSON.stringify({ apiKey }),
      }),
      { abortSignal: signal },
    );
  } catch (error) {
    // An attempt before this one, or one at the same time, was first with another random content: that one counts.
    if (!(error instanceof Error) || error.name !== 'ResourceExistsException') throw error;
  }
}

async function moveStage(
  secretId: string,
  stage: string,
  { to, from }: { readonly to: string | undefined; readonly from: string | undefined },
  { client, signal }: PopulateOptions,
): Promise<void> {
  await client.send(
    new UpdateSecretVersionStageCommand({
      SecretId: secretId,
      VersionStage: stage,
      ...(to === undefined ? {} : { MoveToVersionId: to }),
      ...(from === undefined || from === to ? {} : { RemoveFromVersionId: from }),
    }),
    { abortSignal: signal },
  );
}
