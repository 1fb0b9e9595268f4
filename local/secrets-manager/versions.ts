import { AwsServiceError } from '../aws/plumbing.ts';
import type { Secret, SecretVersion } from './secret-store.ts';

/** Staging labels of versions (AWS's term): each is on one version at most. */
export const STAGE = { current: 'AWSCURRENT', previous: 'AWSPREVIOUS' } as const;
const MAX_VERSIONS = 100;

/** Content of a version: text or binary. */
export interface SecretContent {
  readonly text?: string | undefined;
  /** Binary value in base64. */
  readonly binary?: string | undefined;
}

/**
 * Adds a version under the caller's idempotency token and moves the labels to it. The same token with the same
 * content changes nothing; with other content it is refused.
 * Source: AWS Secrets Manager API Reference, "PutSecretValue".
 * @throws AwsServiceError ResourceExistsException, LimitExceededException
 */
export function addVersion(
  secret: Secret,
  token: string,
  content: SecretContent,
  options: { readonly stages: readonly string[]; readonly now: number },
): Secret {
  const existing = secret.versions.find(({ id }) => id === token);
  if (existing !== undefined) {
    if (existing.text === content.text && existing.binary === content.binary) return secret;
    throw new AwsServiceError(
      'ResourceExistsException',
      'You can’t use ClientRequestToken because that value is already in use for a version of this secret.',
    );
  }
  const version: SecretVersion = { id: token, createdAt: options.now, stages: [], ...content };
  const added = { ...secret, changedAt: options.now, versions: [...secret.versions, version] };
  return dropUnlabelled(
    options.stages.reduce<Secret>((moved, stage) => moveStage(moved, stage, token), added),
  );
}

/** Takes a label off whatever has it; the version that loses AWSCURRENT gets AWSPREVIOUS. */
function moveStage(secret: Secret, stage: string, to: string): Secret {
  const loser = secret.versions.find(({ stages }) => stages.includes(stage))?.id;
  const versions = secret.versions.map((version) => {
    const others = version.stages.filter((label) => label !== stage);
    const stages = version.id === to ? [...others, stage] : others;
    return { ...version, stages };
  });
  const moved = { ...secret, versions };
  return stage === STAGE.current && loser !== undefined && loser !== to
    ? moveStage(moved, STAGE.previous, loser)
    : moved;
}

/**
 * Moves a label to a version, takes it off one, or both. A label that another version has moves only when that version is
 * named, and AWSCURRENT is never taken off alone.
 * Source: AWS Secrets Manager API Reference, "UpdateSecretVersionStage".
 * @throws AwsServiceError InvalidParameterException, ResourceNotFoundException
 */
export function relabel(
  secret: Secret,
  stage: string,
  { to, from }: { readonly to?: string | undefined; readonly from?: string | undefined },
): Secret {
  const holder = secret.versions.find(({ stages }) => stages.includes(stage))?.id;
  const known = new Set(secret.versions.map(({ id }) => id));
  const unknown = [to, from].find((id) => id !== undefined && !known.has(id));
  if (unknown !== undefined)
    throw new AwsServiceError(
      'ResourceNotFoundException',
      `Secrets Manager can't find the version ${unknown}`,
    );
  if (from !== undefined && holder !== from)
    throw new AwsServiceError(
      'InvalidParameterException',
      `The parameter RemoveFromVersionId can't be used: ${stage} is not attached to version ${from}`,
    );
  if (to !== undefined && holder !== undefined && holder !== to && from === undefined)
    throw new AwsServiceError(
      'InvalidParameterException',
      `The parameter RemoveFromVersionId can't be empty. Staging label ${stage} is currently attached to version ${holder}`,
    );
  if (to === undefined && stage === STAGE.current)
    throw new AwsServiceError(
      'InvalidParameterException',
      "You can't remove AWSCURRENT: move it to another version",
    );
  if (to !== undefined) return moveStage(secret, stage, to);
  return {
    ...secret,
    versions: secret.versions.map((version) => ({
      ...version,
      stages: version.stages.filter((label) => label !== stage),
    })),
  };
}

/** Drops versions without labels as soon as there are too many; AWS forgets them some day. */
function dropUnlabelled(secret: Secret): Secret {
  const surplus = secret.versions.length - MAX_VERSIONS;
  if (surplus <= 0) return secret;
  const unlabelled = secret.versions.filter(({ stages }) => stages.length === 0).slice(0, surplus);
  if (unlabelled.length < surplus) {
    throw new AwsServiceError('LimitExceededException', 'Too many versions with labels');
  }
  return { ...secret, versions: secret.versions.filter((version) => !unlabelled.includes(version)) };
}

/**
 * Finds the version that a request asks for: by id, by label, or the current one.
 * @throws AwsServiceError ResourceNotFoundException, InvalidRequestException
 */
export function findVersion(
  secret: Secret,
  id: string | undefined,
  stage: string | undefined,
): SecretVersion {
  const label = stage ?? (id === undefined ? STAGE.current : undefined);
  const version = secret.versions.find((candidate) =>
    id === undefined ? label !== undefined && candidate.stages.includes(label) : candidate.id === id,
  );
  if (version === undefined) {
    const what = id === undefined ? `staging label: ${label}` : `VersionId: ${id}`;
    throw new AwsServiceError(
      'ResourceNotFoundException',
      `Secrets Manager can't find the specified secret value for ${what}`,
    );
  }
  if (label !== undefined && !version.stages.includes(label)) {
    throw new AwsServiceError(
      'InvalidRequestException',
      'You provided a VersionStage that is not associated to the provided VersionId.',
    );
  }
  return version;
}
