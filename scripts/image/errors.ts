import { HoldfastError } from '../../shared/errors.ts';

export type ImageErrorCode =
  /** A line of a lock file is malformed, or the time of the snapshot is missing. */
  | 'IMAGE_LOCK_MALFORMED'
  /** The mirror has no package of a name that the lock file has, in any version. */
  | 'IMAGE_PACKAGE_GONE'
  /** The packages, or the kernel from them, could not be made; the script has said why on standard error. */
  | 'IMAGE_INPUTS_MISSING'
  /** A package of the program would come from another folder than the project's node_modules, which alone is checked. */
  | 'IMAGE_PACKAGE_FOREIGN'
  /** scripts/build-eif failed, and has said why on standard error. */
  | 'IMAGE_NOT_BUILT';

/** Reason why an image cannot be built that lies in its inputs, not in the command. */
export class ImageError extends HoldfastError<ImageErrorCode> {}
