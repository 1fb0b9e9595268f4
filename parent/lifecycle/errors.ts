import { HoldfastError } from '../../shared/errors.ts';

export type EnclaveErrorCode =
  /** The CID belongs to an enclave that is not the expected image, or runs in debug mode. */
  | 'ENCLAVE_FOREIGN'
  /** The image's measurements differ from those of pcr.json. */
  | 'ENCLAVE_IMAGE_UNEXPECTED'
  /** nitro-cli could not be run, was killed, or printed something unexpected. */
  | 'NITRO_CLI_FAILED'
  /** The path has no program of that name. */
  | 'NITRO_CLI_MISSING'
  /** nitro-cli refused; `details.nitro` is its own code, such as E26. */
  | 'NITRO_CLI_REFUSED';

export class EnclaveError extends HoldfastError<EnclaveErrorCode> {}
