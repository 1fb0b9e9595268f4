import { dnsSuffixOf } from './partitions.ts';

/** Makes the host name of KMS in a Region, as AWS's SDKs do. Regions that fit no partition are refused in manifests. */
export function kmsHost(region: string): string {
  return `kms.${region}.${dnsSuffixOf(region)}`;
}
