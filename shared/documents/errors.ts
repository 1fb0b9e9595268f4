import { HoldfastError } from '../errors.ts';

export type ManifestErrorCode = 'MANIFEST_MALFORMED';

/** Bytes that are not a manifest; `details.field` is the first field that is wrong. */
export class ManifestError extends HoldfastError<ManifestErrorCode> {}

export type ConfigurationErrorCode =
  | 'CONFIGURATION_MALFORMED'
  /** Fewer of the manifest's authorities have signed than the manifest asks for. */
  | 'CONFIGURATION_UNDER_SIGNED'
  /** The configuration is for another manifest. */
  | 'CONFIGURATION_OTHER_MANIFEST';

export class ConfigurationError extends HoldfastError<ConfigurationErrorCode> {}
