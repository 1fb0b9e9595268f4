import type { z } from 'zod';
import { AwsServiceError } from '../aws-json/index.ts';
import { isKeySpec, type KeySpec, type KeyUsage, specDetails } from './key-spec.ts';
import type { createKeySchema } from './schemas.ts';
import { invalid } from './refusals.ts';

/**
 * Reads the kind of key that CreateKey asks for.
 * @throws AwsServiceError ValidationException; UnsupportedOperationException for keys of several Regions, of other
 *   origins than KMS itself, and SM2
 */
export function readKeyKind(input: z.output<typeof createKeySchema>): { spec: KeySpec; usage: KeyUsage } {
  const { Origin: origin = 'AWS_KMS', MultiRegion: multiRegion = false } = input;
  if (input.KeySpec !== undefined && input.CustomerMasterKeySpec !== undefined) {
    throw invalid('You cannot specify KeySpec and CustomerMasterKeySpec in the same request.');
  }
  const spec = input.KeySpec ?? input.CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT';
  if (origin !== 'AWS_KMS' || multiRegion || !isKeySpec(spec)) {
    throw new AwsServiceError(
      'UnsupportedOperationException',
      'Keys are of one Region alone, made where they are kept, and not SM2.',
    );
  }
  const { usages } = specDetails(spec);
  const usage = input.KeyUsage ?? (spec === 'SYMMETRIC_DEFAULT' ? 'ENCRYPT_DECRYPT' : undefined);
  if (usage === undefined) {
    throw invalid('You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.');
  }
  if (!usages.includes(usage)) throw invalid(`KeyUsage ${usage} is not compatible with KeySpec ${spec}`);
  return { spec, usage };
}
