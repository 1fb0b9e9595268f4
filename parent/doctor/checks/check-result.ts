/** Codes of the findings that a check can report: stable names, explained in docs/doctor.md. */
export const FINDING_CODES = [
  // The machine.
  'INSTANCE_NOT_EC2',
  'INSTANCE_NOT_NITRO',
  'IMDS_UNREACHABLE',
  'IMDS_V1_OPEN',
  'ENCLAVES_DISABLED',
  'NE_DRIVER_MISSING',
  'DEVICE_PERMISSIONS',
  'VSOCK_MISSING',
  'VSOCK_TRANSPORT_MISSING',
  'VSOCK_VHOST_LOADED',
  // Memory and CPUs that are set aside for the enclave.
  'ALLOCATOR_MISSING',
  'ALLOCATOR_MALFORMED',
  'ALLOCATOR_MEMORY_SHORT',
  'ALLOCATOR_CPUS_SHORT',
  'ALLOCATOR_FAILED',
  'ALLOCATOR_NOT_RUN',
  'ALLOCATOR_NOT_ENABLED',
  'HUGE_PAGES_SHORT',
  'HUGE_PAGES_SPREAD',
  'HUGE_PAGES_TAKEN',
  'MEMORY_BELOW_IMAGE',
  'CPU_POOL_SHORT',
  'CPUS_NOT_WHOLE_CORES',
  'INSTANCE_TOO_SMALL',
  'NITRO_CLI_MISSING',
  'NITRO_CLI_FAILS',
  'ENCLAVE_IN_DEBUG_MODE',
  // The program and its service.
  'NODE_TOO_OLD',
  'ADDON_MISSING',
  'UNIT_MISSING',
  'UNIT_FAILED',
  'UNIT_NOT_ACTIVE',
  'UNIT_NOT_ENABLED',
  'UNIT_WITHOUT_ENCLAVE',
  'NODE_NOT_SERVING',
  'BACKUP_LACKING',
  'LOG_GAP',
  'LOG_UNDER_COSIGNED',
  'WITNESS_REFUSES',
  'PEERS_NOT_CONNECTED',
  // The files.
  'CONFIG_MISSING',
  'CONFIG_INVALID',
  'FILE_MISSING',
  'FILE_WRITABLE',
  'FILE_UNREADABLE_FOR_SERVICE',
  'FILE_EXPOSED',
  'STORE_EXPOSED',
  'IMAGE_UNEXPECTED',
  'PCR16_MISMATCH',
  'PCR16_MISSING',
  'MANIFEST_REFUSED',
  'CONFIGURATION_REFUSED',
  'CONFIGURATION_EXPIRED',
  'CONFIGURATION_EXPIRES',
  'PEERS_OTHER_NODE',
  'PEERS_CERTIFICATE',
  'PEERS_CERTIFICATE_EXPIRES',
  // Time.
  'CLOCK_NOT_SYNCHRONISED',
  'CLOCK_SKEWED',
  // AWS.
  'REGION_MISSING',
  'REGION_DIFFERS',
  'ROLE_MISSING',
  'CREDENTIALS_MISSING',
  'CREDENTIALS_EXPIRED',
  'CREDENTIALS_STATIC',
  // The network.
  'ALLOWLIST_DOCUMENT_IGNORED',
  'ALLOWLIST_HOST_NEVER_MATCHES',
  'EGRESS_KMS_MISSING',
  'EGRESS_DNS_FAILED',
  'EGRESS_ADDRESS_FORBIDDEN',
  'EGRESS_UNREACHABLE',
  'EGRESS_TLS_UNTRUSTED',
  'PEERS_UNREACHABLE',
  'PORT_TAKEN',
  'PORT_PRIVILEGED',
  // Disk space and descriptors.
  'DISK_FULL',
  'DISK_LOW',
  'MEMORY_LOW',
  'DESCRIPTORS_SHORT',
  'SWAP_ON',
  // The checks themselves.
  'CHECK_TIMED_OUT',
  'CHECK_BROKE',
] as const;
export type CheckCode = (typeof FINDING_CODES)[number];

/** Reason why a check was skipped. */
export type SkipReason =
  'NOT_APPLICABLE' | 'NOT_CONFIGURED' | 'NOT_ENCLAVE_HOST' | 'NOT_PERMITTED' | 'OFFLINE';

/** Result of one check: a sentence on what it saw, and how to mend a fault. */
export type CheckResult =
  | { readonly status: 'ok'; readonly text: string }
  | { readonly status: 'skipped'; readonly code: SkipReason; readonly text: string }
  | {
      /** `fail`: the node will not start, or not serve, like this. `warn`: the node serves, at a risk. */
      readonly status: 'warn' | 'fail';
      readonly code: CheckCode;
      readonly text: string;
      /** Advice in words. */
      readonly advice: string;
      /** Command to type; names in capitals are for the reader to replace. */
      readonly command?: string;
    };

/** Way to mend a fault: words, and a command where one does it. */
export interface Mend {
  readonly advice: string;
  readonly command?: string;
}

export const ok = (text: string): CheckResult => ({ status: 'ok', text });
export const warn = (code: CheckCode, text: string, mend: Mend): CheckResult => ({
  status: 'warn',
  code,
  text,
  ...mend,
});
export const fail = (code: CheckCode, text: string, mend: Mend): CheckResult => ({
  status: 'fail',
  code,
  text,
  ...mend,
});
export const skip = (code: SkipReason, text: string): CheckResult => ({ status: 'skipped', code, text });

/** Quotes a path or name for a POSIX shell. */
export function quote(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
