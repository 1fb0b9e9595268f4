/** A partition of AWS: Regions that share an authority over names, and nothing with the other partitions. */
export interface Partition {
  /** The id of the partition, which is the second part of its ARNs. */
  readonly id: string;
  /** The end of the host names of its services. */
  readonly dnsSuffix: string;
  /** Matches the names of its Regions, future ones included. */
  readonly regions: RegExp;
  /**
   * True where the certificates of its endpoints lead to the public roots of Amazon Trust Services that the enclave
   * pins. Those of the European Sovereign Cloud do through cross-signed certificates,
   * https://www.amazontrust.com/repository/. The isolated partitions have authorities of their own, which nobody
   * publishes.
   */
  readonly publicRoots: boolean;
}

/**
 * The partitions in the partition data of AWS's SDKs, whose order they have: a copy, because the enclave's code is
 * measured and must not change with a dependency. A test compares it with the SDK that is installed.
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

/** Finds the partition of a Region; undefined for a name that fits none. */
export function partitionOf(region: string): Partition | undefined {
  return PARTITIONS.find(({ regions }) => regions.test(region));
}

/**
 * Finds the end of the host names of AWS's services in a Region. A Region that fits no partition counts as one of the
 * first partition, as with AWS's SDKs.
 */
export function dnsSuffixOf(region: string): string {
  return (partitionOf(region) ?? PARTITIONS[0]).dnsSuffix;
}
