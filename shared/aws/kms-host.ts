import { dnsSuffixOf } from './partitions.ts';

/** The host name of KMS in a Region, as AWS's SDKs build it. A manifest whose Region fits no partition is refused before. */
export function kmsHost(region: string): string {
  return `kms.${region}.${dnsSuffixOf(region)}`;
}
