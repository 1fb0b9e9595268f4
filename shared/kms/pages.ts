import { AwsServiceError } from '../aws-json/index.ts';

export interface PageRequest {
  readonly Limit?: number | undefined;
  readonly Marker?: string | undefined;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Members of the response beside its items. */
  readonly rest: { readonly Truncated: boolean; readonly NextMarker?: string };
}

/** Items on a page of an operation: as many as asked for up to the most, or the default. */
export interface PageSize {
  readonly usual: number;
  readonly most: number;
}

const PREFIX = 'holdfast:';

/**
 * Takes one page of a list. A marker names the last item that was shown, so that items that come and go in between lose
 * none of the others.
 * @throws AwsServiceError InvalidMarkerException
 */
export function paginate<Item>(
  list: readonly Item[],
  nameOf: (item: Item) => string,
  { Limit: limit, Marker: marker }: PageRequest,
  { usual, most }: PageSize,
): Page<Item> {
  const sorted = [...list].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const after = marker === undefined ? undefined : decodeMarker(marker);
  const remaining = after === undefined ? sorted : sorted.filter((item) => nameOf(item) > after);
  const items = remaining.slice(0, Math.min(limit ?? usual, most));
  const last = items.at(-1);
  if (last === undefined || items.length === remaining.length) return { items, rest: { Truncated: false } };
  return { items, rest: { Truncated: true, NextMarker: encodeMarker(nameOf(last)) } };
}

function encodeMarker(name: string): string {
  return Buffer.from(PREFIX + name, 'utf8').toString('base64url');
}

function decodeMarker(marker: string): string {
  const text = Buffer.from(marker, 'base64url').toString('utf8');
  if (!text.startsWith(PREFIX) || encodeMarker(text.slice(PREFIX.length)) !== marker) {
    throw new AwsServiceError('InvalidMarkerException', 'Could not deserialize marker');
  }
  return text.slice(PREFIX.length);
}
