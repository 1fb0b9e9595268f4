/** A partition of AWS: Regions that share an authority over names, and nothing with the other partitions. */
export interface Partition {
  /** As in the second part of an ARN. */
  readonly id: string;
  /** What the host names of its services end in. */
  readonly dnsSuffix: string;
  /** Matches its Regions, those that are still to come among them. */
  readonly regions: RegExp;
  /**
   * Whether its endpoints lead to the public roots of Amazon Trust Services that the enclave pins. Those of the
   * European Sovereign Cloud do through cross-signed certificates, https://www.amazontrust.com/repository/. The isolated
   * partitions have authorities of their own, which nobody publishes.
   */
  readonly publicRoots: boolean;
}

/**
 * The partitions in the partition data of AWS's SDKs, whose order they have: a copy, because the enclave's code is
 * measured and must not change its mind with a dependency. A test compares it with the SDK that is installed.
 */
export const PARTITIONS: readonly [Partition, ...Partition[]] = [
  {
    id: 'aws',
    dnsSuffix: 'amazonaws.com',
    regions: /^(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+$/,
    publicRoots: true,
  },
  { id: 'aws-cn', dnsSuffix: 'amazonaws.com.cn', regions: /^cn-\w+-\d+$/, publicRoots: true },
  { id: 'aws-eusc', dnsSuffix: 'amazonaws.eu', regions: /^eusc-(de)-\w+-\d+$/, publicRoots: true },
  { id: 'aws-iso', dnsSuffix: 'c2s.ic.gov', regions: /^us-iso-\w+-\d+$/, publicRoots: false },
  { id: 'aws-iso-b', dnsSuffix: 'sc2s.sgov.gov', regions: /^us-isob-\w+-\d+$/, publicRoots: false },
  { id: 'aws-iso-e', dnsSuffix: 'cloud.adc-e.uk', regions: /^eu-isoe-\w+-\d+$/, publicRoots: false },
  { id: 'aws-iso-f', dnsSuffix: 'csp.hci.ic.gov', regions: /^us-isof-\w+-\d+$/, publicRoots: false },
  { id: 'aws-us-gov', dnsSuffix: 'amazonaws.com', regions: /^us-gov-\w+-\d+$/, publicRoots: true },
];

/** The partition that a Region belongs to; undefined for a name that fits none. */
export function partitionOf(region: string): Partition | undefined {
  return PARTITIONS.find(({ regions }) => regions.test(region));
}

/**
 * What the host names of AWS's services in a Region end in. Like AWS's SDKs it takes a Region that fits no partition for
 * one of the first.
 */
export function dnsSuffixOf(region: string): string {
  return (partitionOf(region) ?? PARTITIONS[0]).dnsSuffix;
}
