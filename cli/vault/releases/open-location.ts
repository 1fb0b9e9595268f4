import {
  BucketReleases,
  createHttpClient,
  parseLocation,
  RegistryReleases,
  type ReleaseDestination,
} from '../../../admin/artifacts/index.ts';
import { openS3 } from '../../../admin/aws/index.ts';
import { readAwsAccess } from '../../common/aws.ts';
import { type CommandInput, readInput, UsageError } from '../../common/command.ts';
import { createCredentialsFinder } from './registry-credentials.ts';

const MAX_CA_BYTES = 1024 * 1024;

/** Place of releases, opened; whoever opened it disposes of it. */
export interface OpenedLocation extends Disposable {
  readonly releases: ReleaseDestination;
}

/**
 * Opens a place of releases.
 *
 * @param text s3://BUCKET/PREFIX, oci://REGISTRY/REPOSITORY or a folder
 * @param access what is done there: credentials with the right to write are asked for a mirror alone
 * @throws ReleaseError RELEASE_LOCATION_MALFORMED; UsageError
 */
export async function openLocation(
  text: string,
  access: 'read' | 'write',
  input: Pick<CommandInput, 'text' | 'io'>,
  defaultRegion?: string,
): Promise<OpenedLocation> {
  const location = parseLocation(text);
  const { io } = input;
  const keep = { [Symbol.dispose]: () => {} };
  switch (location.kind) {
    case 'folder': {
      const { FolderReleases } = await import('./release-folder.ts');
      return { ...keep, releases: new FolderReleases(location, io.folder ?? process.cwd()) };
    }
    case 'oci': {
      const ca = input.text('ca');
      const client = createHttpClient(ca === undefined ? undefined : await readInput(ca, io, MAX_CA_BYTES));
      const rights = access === 'write' ? 'pull,push' : 'pull';
      return {
        ...keep,
        releases: new RegistryReleases(client, location, createCredentialsFinder(io), rights),
      };
    }
    case 's3':
    default: {
      const { AWS_REGION, AWS_DEFAULT_REGION } = io.env ?? process.env;
      const region = input.text('region') ?? defaultRegion ?? AWS_REGION ?? AWS_DEFAULT_REGION;
      if (region === undefined) throw new UsageError('--region or AWS_REGION names the Region of the bucket');
      const s3 = await openS3(await readAwsAccess(input, region));
      return { releases: new BucketReleases(s3, location), [Symbol.dispose]: () => s3.destroy() };
    }
  }
}
