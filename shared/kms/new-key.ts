import type { z } from 'zod';
import { AwsServiceError } from '../aws-json/index.ts';
import { isKeySpec, type KeySpec, type KeyUsage, specDetails } from './key-spec.ts';
import type { createKeySchema } from './schemas.ts';
import { invalid } from './refusals.ts';

/**
 * Reads the kind of key that CreateKey asks for. `multiRegion` says whether its maker has keys that could be replicated to
 * other Regions.
 * @throws AwsServiceError ValidationException; UnsupportedOperationException for SM2, for origins other than KMS itself,
 *   and for keys of several Regions where there are none
 */
export function readKeyKind(
  input: z.output<typeof createKeySchema>,
  multiRegion: 'made' | 'refused',
): { readonly spec: KeySpec; readonly usage: KeyUsage; readonly multiRegion: boolean } {
  const { Origin: origin = 'AWS_KMS', MultiRegion: isMultiRegion = false } = input;
  if (input.KeySpec !== undefined && input.CustomerMasterKeySpec !== undefined) {
    throw invalid('You cannot specify KeySpec and CustomerMasterKeySpec in the same request.');
  }
  const spec = input.KeySpec ?? input.CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT';
  if (origin !== 'AWS_KMS' || !isKeySpec(spec)) {
    throw new AwsServiceError(
      'UnsupportedOperationException',
      'Keys are made where they are kept, and none is an SM2 key.',
    );
  }
  if (isMultiRegion && multiRegion === 'refused') {
    throw new AwsServiceError('UnsupportedOperationException', 'Keys are of one Region alone.');
  }
  const { usages } = specDetails(spec);
  const usage = input.KeyUsage ?? (spec === 'SYMMETRIC_DEFAULT' ? 'ENCRYPT_DECRYPT' : undefined);
  if (usage === undefined) {
    throw invalid('You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.');
  }
  if (!usages.includes(usage)) throw invalid(`KeyUsage ${usage} is not compatible with KeySpec ${spec}`);
  return { spec, usage, multiRegion: isMultiRegion };
}
