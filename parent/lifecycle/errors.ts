import { HoldfastError } from '../../shared/errors.ts';

export type EnclaveErrorCode =
  /** An enclave runs on this CID that is not the expected image, or runs in debug mode. */
  | 'ENCLAVE_FOREIGN'
  /** The image's measurements are not those of pcr.json. */
  | 'ENCLAVE_IMAGE_UNEXPECTED'
  /** nitro-cli could not be run, was killed, or printed something else than it should. */
  | 'NITRO_CLI_FAILED'
  /** No program of that name is on the path. */
  | 'NITRO_CLI_MISSING'
  /** nitro-cli refused; `details.nitro` is its own code, such as E26. */
  | 'NITRO_CLI_REFUSED';

export class EnclaveError extends HoldfastError<EnclaveErrorCode> {}
