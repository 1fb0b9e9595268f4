/** The host name of KMS in a region, by the partition that the region belongs to. */
export function kmsHost(region: string): string {
  return `kms.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`;
}
