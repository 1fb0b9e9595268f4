import { type JsonObject, parseJson, type JsonValue } from '../../shared/json/index.ts';
import { errorCode } from '../../shared/errors.ts';
import { EifError } from './errors.ts';
import { MAX_METADATA_BYTES } from './section-rules.ts';

/** The content of a metadata section, version 4. Whoever builds an image may write anything here. */
export interface EifMetadata {
  readonly ImageName: string;
  readonly ImageVersion: string;
  readonly BuildMetadata: {
    readonly BuildTime: string;
    readonly BuildTool: string;
    readonly BuildToolVersion: string;
    readonly OperatingSystem: string;
    readonly KernelVersion: string;
  };
  readonly DockerInfo: JsonValue;
  readonly CustomMetadata: JsonValue;
}

/** What `buildEif` writes when nobody says otherwise: the same on every machine and day. */
export const DEFAULT_METADATA: EifMetadata = {
  ImageName: 'holdfast',
  ImageVersion: '0',
  BuildMetadata: {
    BuildTime: '1970-01-01T00:00:00+00:00',
    BuildTool: 'holdfast',
    BuildToolVersion: '0',
    OperatingSystem: 'Linux',
    KernelVersion: 'unknown',
  },
  DockerInfo: {},
  CustomMetadata: {},
};

/** Metadata that a description carries; `attested` is there so that nobody takes it for a measurement. */
export interface UnattestedMetadata {
  readonly attested: false;
  readonly content: JsonObject;
}

const LIMITS = { maxBytes: MAX_METADATA_BYTES, maxDepth: 32 };

/** @throws EifError EIF_METADATA when it is not one JSON object, nested at most 32 deep, that all read alike */
export function parseMetadata(bytes: Uint8Array): UnattestedMetadata {
  let content: JsonValue;
  try {
    content = parseJson(bytes, LIMITS);
  } catch (error) {
    throw new EifError('EIF_METADATA', 'the metadata is not JSON', { actual: errorCode(error) }, error);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new EifError('EIF_METADATA', 'the metadata is not a JSON object');
  }
  return { attested: false, content };
}

/**
 * The bytes of a metadata section: compact JSON, keys in the order given.
 * @throws RangeError when it is larger than a reader takes
 */
export function encodeMetadata(metadata: EifMetadata): Uint8Array {
  const bytes = new TextEncoder().encode(JSON.stringify(metadata));
  if (bytes.length > MAX_METADATA_BYTES) throw new RangeError(`metadata of ${bytes.length} bytes`);
  return bytes;
}
