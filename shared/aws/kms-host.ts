import { PARTITIONS, partitionOf } from './partitions.ts';

/**
 * The host name of KMS in a Region: `kms.REGION.` and the suffix of the Region's partition. Like AWS's SDKs it takes a
 * Region that fits no partition for one of the first; a manifest with such a Region is refused before.
 */
export function kmsHost(region: string): string {
  const { dnsSuffix } = partitionOf(region) ?? PARTITIONS[0];
  return `kms.${region}.${dnsSuffix}`;
}
