import type { DocumentKind } from './document.ts';
import { MANIFEST_PCR } from './measurement.ts';

/** Meanings of an enclave's PCRs: AWS Nitro Enclaves User Guide, "Where to get an enclave's measurements". */
const ENCLAVE_MEANINGS: Readonly<Record<number, string>> = {
  0: 'the whole image',
  1: 'kernel, command line and boot ramdisk',
  2: 'application',
  3: 'IAM role of the parent instance',
  4: 'id of the parent instance',
  8: 'signing certificate',
  [MANIFEST_PCR]: 'manifest',
};

/**
 * Meanings of a TPM 2.0's PCRs: 0 to 7 from the TCG PC Client Platform Firmware Profile (section 3.3.4), 8 and above from
 * the UAPI Group's "Linux TPM PCR Registry". AWS's NitroTPM-Tools compute 4, 7 and 12 of a Unified Kernel Image.
 */
const TPM_MEANINGS: Readonly<Record<number, string>> = {
  0: 'firmware',
  1: 'configuration of the firmware',
  2: 'option ROMs',
  3: 'configuration of the option ROMs',
  4: 'boot manager or Unified Kernel Image',
  5: 'configuration of the boot manager and partition table',
  6: 'events of the host platform',
  7: 'Secure Boot policy',
  8: 'command line, as the boot loader measured it',
  9: 'files that the boot loader or kernel loaded, such as the ramdisk',
  10: 'files, as IMA measured them',
  11: 'parts of the Unified Kernel Image',
  12: 'overrides of the command line',
  13: 'extensions of the system',
  14: 'keys of the shim',
  15: 'identity of the system',
  16: 'debugging',
  23: 'defined by the application',
};
const FIRST_DYNAMIC_PCR = 17;
const LAST_DYNAMIC_PCR = 22;

/**
 * Describes in words what a PCR measures, such as `application` for an enclave's PCR2.
 *
 * @param index 0 to 31
 *
 * Source: AWS Nitro Enclaves User Guide, "Where to get an enclave's measurements"; for `nitrotpm` the TCG PC Client
 * Platform Firmware Profile and the Linux TPM PCR Registry.
 */
export function describePcr(index: number, kind: DocumentKind = 'enclave'): string {
  if (kind === 'nitrotpm') {
    return TPM_MEANINGS[index] ?? (isDynamicPcr(index) ? 'dynamic launch' : 'reserved');
  }
  return ENCLAVE_MEANINGS[index] ?? (index < MANIFEST_PCR ? 'reserved' : 'defined by the application');
}

/** Whether a TPM's PCR belongs to the dynamic launch: all ones on EC2, where no instance makes such a launch. */
export function isDynamicPcr(index: number): boolean {
  return index >= FIRST_DYNAMIC_PCR && index <= LAST_DYNAMIC_PCR;
}
