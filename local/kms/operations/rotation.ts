import { z } from 'zod';
import { assertEnabled, keyPageSchema, keySchema, paginate, specDetails } from '../../../shared/kms/index.ts';
import { AwsServiceError, optional, parseInput, type AuthenticatedRequest } from '../../aws/plumbing.ts';
import type { KmsContext } from '../model/context.ts';
import { generateMaterial } from '../model/key-material.ts';
import type { Key } from '../model/key-store.ts';
import { findAllowed } from './find-key.ts';

const DAY = 86_400_000;
/** Quota of AWS for one key. */
const MAX_ON_DEMAND = 25;

const enableSchema = keySchema.extend({ RotationPeriodInDays: optional(z.int().min(90).max(2560)) });
const listSchema = keyPageSchema.extend({
  IncludeKeyMaterial: optional(z.enum(['ALL_KEY_MATERIAL', 'ROTATIONS_ONLY'])),
});

/** Source: AWS KMS API Reference, "EnableKeyRotation". Nothing rotates by itself here: only on demand. */
export function enableKeyRotation(kms: KmsContext, request: AuthenticatedRequest): void {
  const { KeyId: named, RotationPeriodInDays: periodInDays = 365 } = parseInput(enableSchema, request.input);
  const keys = { 'kms:RotationPeriodInDays': String(periodInDays) };
  const key = findAllowed(kms, request, named, { keys });
  assertRotatable(key);
  assertEnabled(key);
  kms.keys.save({ ...key, rotation: { periodInDays, enabledAt: request.now } });
}

/** Source: AWS KMS API Reference, "DisableKeyRotation". */
export function disableKeyRotation(kms: KmsContext, request: AuthenticatedRequest): void {
  const key = findAllowed(kms, request, parseInput(keySchema, request.input).KeyId);
  assertRotatable(key);
  assertEnabled(key);
  kms.keys.save({ ...key, rotation: undefined });
}

/** Source: AWS KMS API Reference, "GetKeyRotationStatus". A key pending deletion does not rotate. */
export function getKeyRotationStatus(kms: KmsContext, request: AuthenticatedRequest): object {
  const key = findAllowed(kms, request, parseInput(keySchema, request.input).KeyId);
  // Keys of other kinds never rotate, and asking is no error: infrastructure tools ask of every key.
  if (key.rotation === undefined || key.state === 'PendingDeletion') {
    return { KeyId: key.arn, KeyRotationEnabled: false };
  }
  const { periodInDays, enabledAt } = key.rotation;
  return {
    KeyId: key.arn,
    KeyRotationEnabled: true,
    RotationPeriodInDays: periodInDays,
    NextRotationDate: (enabledAt + periodInDays * DAY) / 1000,
  };
}

/** Source: AWS KMS API Reference, "RotateKeyOnDemand". It is done at once here. */
export async function rotateKeyOnDemand(kms: KmsContext, request: AuthenticatedRequest): Promise<object> {
  const key = findAllowed(kms, request, parseInput(keySchema, request.input).KeyId);
  assertRotatable(key);
  assertEnabled(key);
  if (key.materials.length > MAX_ON_DEMAND) {
    throw new AwsServiceError('LimitExceededException', `${key.arn} was rotated ${MAX_ON_DEMAND} times.`);
  }
  const material = await generateMaterial(key.spec, request.now);
  kms.keys.save({ ...key, materials: [...key.materials, material] });
  return { KeyId: key.arn };
}

/** Source: AWS KMS API Reference, "ListKeyRotations". */
export function listKeyRotations(kms: KmsContext, request: AuthenticatedRequest): object {
  const input = parseInput(listSchema, request.input);
  const key = findAllowed(kms, request, input.KeyId);
  assertRotatable(key);
  const first = input.IncludeKeyMaterial === 'ALL_KEY_MATERIAL' ? 0 : 1;
  const generations = key.materials.map((material, index) => ({ ...material, index })).slice(first);
  const nameOf = ({ index }: { readonly index: number }) => String(index).padStart(4, '0');
  const { items, rest } = paginate(generations, nameOf, input, { usual: 100, most: 1000 });
  return {
    Rotations: items.map(({ id, createdAt, index }) => ({
      KeyId: key.arn,
      KeyMaterialId: id,
      KeyMaterialState: index === key.materials.length - 1 ? 'CURRENT' : 'NON_CURRENT',
      // The first material came with the key, not by a rotation.
      ...(index === 0 ? {} : { RotationDate: createdAt / 1000, RotationType: 'ON_DEMAND' }),
    })),
    ...rest,
  };
}

function assertRotatable({ arn, spec }: Key): void {
  if (specDetails(spec).type !== 'symmetric') {
    throw new AwsServiceError('UnsupportedOperationException', `${arn} is not a symmetric encryption key.`);
  }
}
