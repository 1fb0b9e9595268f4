import { EifError } from './errors.ts';
import { MAX_METADATA_BYTES } from './section-rules.ts';

export type JsonValue =
  null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

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
  readonly content: Readonly<Record<string, unknown>>;
}

/** Deepest nesting of objects and arrays that is taken. */
const MAX_DEPTH = 32;

/** @throws EifError EIF_METADATA when it is not a JSON object in UTF-8 of at most 32 levels */
export function parseMetadata(bytes: Uint8Array): UnattestedMetadata {
  const text = decodeUtf8(bytes);
  assertDepth(text);
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new EifError('EIF_METADATA', 'the metadata is not JSON', {}, error);
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new EifError('EIF_METADATA', 'the metadata is not a JSON object');
  }
  return { attested: false, content: content as Record<string, unknown> };
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

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new EifError('EIF_METADATA', 'the metadata is not UTF-8', {}, error);
  }
}

/** Before the parse: whoever prints the result recurses. */
function assertDepth(text: string): void {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const character = text[index];
    if (inString) {
      if (character === '\\') index += 1;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '{' || character === '[') depth += 1;
    else if (character === '}' || character === ']') depth -= 1;
    if (depth > MAX_DEPTH) {
      throw new EifError('EIF_METADATA', 'the metadata is nested too deep', {
        offset: index,
        expected: MAX_DEPTH,
      });
    }
  }
}
