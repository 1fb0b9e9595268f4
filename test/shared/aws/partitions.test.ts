import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { KMSClient } from '@aws-sdk/client-kms';
import { describe, expect, it } from 'vitest';
import { KNOWN_REGIONS } from '../../../admin/vault/checks/regions.ts';
import { kmsHost } from '../../../shared/aws/kms-host.ts';
import { partitionOf, PARTITIONS } from '../../../shared/aws/partitions.ts';

interface SdkPartition {
  readonly id: string;
  readonly outputs: { readonly dnsSuffix: string };
  readonly regionRegex: string;
  readonly regions: Readonly<Record<string, unknown>>;
}

/** The partition data inside the SDK that is installed; it has no public name. */
async function sdkPartitions(): Promise<readonly SdkPartition[]> {
  const client = createRequire(import.meta.url).resolve('@aws-sdk/client-kms');
  const core = dirname(createRequire(client).resolve('@aws-sdk/core/package.json'));
  const path = join(core, 'dist-es/submodules/client/util-endpoints/lib/aws/partitions.js');
  const { partitionsInfo } = (await import(pathToFileURL(path).href)) as {
    partitionsInfo: { partitions: readonly SdkPartition[] };
  };
  return partitionsInfo.partitions;
}

/** The host that the SDK's own client asks. */
function sdkHost(region: string): string {
  const client = new KMSClient({ region });
  const { endpointProvider } = client.config;
  client.destroy();
  return endpointProvider({ Region: region, UseDualStack: false, UseFIPS: false }).url.host;
}

describe('the copy of the SDK’s partition data', () => {
  it('has the same partitions with the same suffixes and patterns of Regions, in the same order', async () => {
    const ours = PARTITIONS.map(({ id, dnsSuffix, regions }) => ({ id, dnsSuffix, regions: regions.source }));
    const theirs = (await sdkPartitions()).map(({ id, outputs, regionRegex }) => ({
      id,
      dnsSuffix: outputs.dnsSuffix,
      regions: regionRegex.replaceAll(String.raw`\-`, '-'),
    }));
    expect(ours).toEqual(theirs);
  });

  it('has every Region that a vault may be in, and knows no other', async () => {
    const open = new Set(PARTITIONS.filter(({ publicRoots }) => publicRoots).map(({ id }) => id));
    const theirs = (await sdkPartitions())
      .filter(({ id }) => open.has(id))
      // Beside Regions the data names what stands for a whole partition, such as aws-global.
      .flatMap(({ regions }) => Object.keys(regions).filter((region) => !region.endsWith('-global')));
    expect([...KNOWN_REGIONS].toSorted()).toEqual(theirs.toSorted());
  });

  it('leads each Region that the SDK knows to its partition, and KMS to the host that the SDK asks', async () => {
    let regions = 0;
    for (const { id, regions: known } of await sdkPartitions()) {
      // "aws-global" and its like are endpoints of services that have no Region.
      for (const region of Object.keys(known).filter((name) => !name.endsWith('-global'))) {
        expect([region, partitionOf(region)?.id]).toEqual([region, id]);
        expect(kmsHost(region)).toBe(sdkHost(region));
        regions += 1;
      }
    }
    expect(regions).toBeGreaterThan(40);
  });

  it.each([
    'eu-future-9',
    'eusc-de-west-2',
    'us-isof-north-1',
    'cn-south-1',
    'us-gov-central-1',
    'nowhere-1',
  ])('follows the SDK for a Region that nobody knows yet: %s', (region) => {
    expect(kmsHost(region)).toBe(sdkHost(region));
  });
});

describe('the host of KMS', () => {
  it.each([
    ['eu-central-1', 'kms.eu-central-1.amazonaws.com'],
    ['us-gov-west-1', 'kms.us-gov-west-1.amazonaws.com'],
    ['cn-north-1', 'kms.cn-north-1.amazonaws.com.cn'],
    ['eusc-de-east-1', 'kms.eusc-de-east-1.amazonaws.eu'],
    ['us-iso-east-1', 'kms.us-iso-east-1.c2s.ic.gov'],
    ['us-isob-east-1', 'kms.us-isob-east-1.sc2s.sgov.gov'],
    ['eu-isoe-west-1', 'kms.eu-isoe-west-1.cloud.adc-e.uk'],
    ['us-isof-south-1', 'kms.us-isof-south-1.csp.hci.ic.gov'],
  ])('in %s is %s', (region, host) => {
    expect(kmsHost(region)).toBe(host);
  });

  it('is authenticated by the pinned roots in no isolated partition', () => {
    const isolated = PARTITIONS.filter(({ publicRoots }) => !publicRoots).map(({ id }) => id);
    expect(isolated).toEqual(['aws-iso', 'aws-iso-b', 'aws-iso-e', 'aws-iso-f']);
  });
});
