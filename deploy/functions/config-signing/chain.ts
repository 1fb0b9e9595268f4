import {
  classifySignatures,
  type ConfigurationFile,
  type ConfiguredNode,
  parseConfigurationFile,
} from '../../../admin/configurations/index.ts';
import { HoldfastError } from '../../../shared/errors.ts';
import { type ConfigurationBucket, keyOf } from './bucket.ts';
import { ConfigSigningError } from './errors.ts';

/** A configuration, and where it stands in the bucket. */
export interface Place {
  /** The newest signed configuration other than the one whose place is asked for; undefined where there is none. */
  readonly before: ConfigurationFile | undefined;
  /** The configuration whose place is asked for, as it lies in the bucket; undefined unless it is the newest. */
  readonly signed: ConfigurationFile | undefined;
  /** The number under which it is, or would be, written. */
  readonly number: number;
}

/**
 * Finds the place of a configuration: behind the newest, or, where it is the newest itself, behind the one before.
 *
 * @throws ConfigSigningError SIGNING_STORE_UNREADABLE, SIGNING_UNAVAILABLE
 */
export async function findPlace(
  file: ConfigurationFile,
  bucket: ConfigurationBucket,
  node: ConfiguredNode,
): Promise<Place> {
  const newest = await bucket.findNewest();
  const read = async (number: number) =>
    number === 0 ? undefined : readSigned(await bucket.readConfiguration(number), number, node);
  const last = await read(newest);
  if (last?.digest !== file.digest) return { before: last, signed: undefined, number: newest + 1 };
  return { before: await read(newest - 1), signed: last, number: newest };
}

/** Reads what lies in the bucket. Of this manifest, one of its authorities has to have signed it. */
function readSigned(
  bytes: Uint8Array,
  number: number,
  { manifest, digest }: ConfiguredNode,
): ConfigurationFile {
  let file: ConfigurationFile;
  try {
    file = parseConfigurationFile(bytes);
  } catch (error) {
    if (!(error instanceof HoldfastError)) throw error;
    throw unreadable(number, error.code);
  }
  const isOfManifest = file.configuration.manifest === Buffer.from(digest).toString('hex');
  const isSigned = classifySignatures(file.envelope, isOfManifest ? manifest : undefined).some(
    ({ counts }) => counts,
  );
  if (!isSigned) throw unreadable(number, 'CONFIGURATION_UNDER_SIGNED');
  return file;
}

function unreadable(number: number, reason: string): ConfigSigningError {
  return new ConfigSigningError(
    'SIGNING_STORE_UNREADABLE',
    'what lies in the bucket is no signed configuration',
    {
      key: keyOf(number),
      reason,
    },
  );
}
