import { type JsonObject, parseJson, type JsonValue } from '../../shared/json/index.ts';
import { errorCode } from '../../shared/errors.ts';
import { EifError } from './errors.ts';
import { MAX_METADATA_BYTES } from './section-rules.ts';

/** Content of the metadata section of an image of version 4. No PCR measures it: the builder may write anything. */
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

/** Metadata that `buildEif` writes by default: the same on every machine and day. */
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

/** Metadata of a described image; `attested: false` warns a reader that no PCR measures it. */
export interface UnattestedMetadata {
  readonly attested: false;
  readonly content: JsonObject;
}

const LIMITS = { maxBytes: MAX_METADATA_BYTES, maxDepth: 32 };

/**
 * Parses the content of a metadata section: one JSON object, nested at most 32 deep, without duplicate members.
 *
 * @throws EifError EIF_METADATA
 */
export function parseMetadata(bytes: Uint8Array): UnattestedMetadata {
  let content: JsonValue;
  try {
    content = parseJson(bytes, LIMITS);
  } catch (error) {
    throw new EifError(
      'EIF_METADATA',
      'the metadata section is not JSON',
      { actual: errorCode(error) },
      error,
    );
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new EifError('EIF_METADATA', 'the metadata section is JSON other than an object');
  }
  return { attested: false, content };
}

/**
 * Encodes the content of a metadata section: compact JSON, members in the order given.
 *
 * @throws RangeError for more than {@link MAX_METADATA_BYTES} bytes, which a reader would refuse
 */
export function encodeMetadata(metadata: EifMetadata): Uint8Array {
  const bytes = new TextEncoder().encode(JSON.stringify(metadata));
  if (bytes.length > MAX_METADATA_BYTES) {
    throw new RangeError(`the metadata has ${bytes.length} bytes: expected at most ${MAX_METADATA_BYTES}`);
  }
  return bytes;
}
