import type { Artifact } from './release-index.ts';

/** Bytes of a file of a release from an offset on. */
export interface ReleaseStream {
  /** Offset at which the bytes begin: the one that was asked for, or 0 where the other side cannot resume. */
  readonly offset: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** A release that somebody keeps, by its version: nothing of it is verified. */
export interface ReleaseSource {
  /** Place as a person named it. */
  readonly location: string;
  /**
   * Reads a file of a release.
   *
   * @param offset how many bytes are here already
   * @throws ReleaseError RELEASE_NOT_FOUND, RELEASE_SOURCE_REFUSED, RELEASE_SOURCE_UNREACHABLE,
   *   RELEASE_MANIFEST_MALFORMED; AdminError AWS_…, INTERRUPTED
   */
  read(version: string, file: string, offset: number, signal: AbortSignal): Promise<ReleaseStream>;
}

/** File of a verified release: an artifact, or the index and its signature. */
export interface ReleaseFile extends Pick<Artifact, 'name' | 'mediaType' | 'size' | 'sha256'> {
  /** Reads the file from its beginning; may be called again. */
  readonly open: () => AsyncIterable<Uint8Array>;
}

/** Place that a release is copied to. It makes the release visible last, when all of it is there. */
export interface ReleaseDestination extends ReleaseSource {
  /**
   * Writes what is not there yet.
   *
   * @param files all files of the release; the index is the last one
   * @param onProgress told the bytes that were written or found, and those of all files
   * @returns names of the files that were written
   * @throws ReleaseError RELEASE_MIRROR_DIFFERS where the version is there with other content, and as `read`
   */
  write(
    version: string,
    files: readonly ReleaseFile[],
    signal: AbortSignal,
    onProgress: (done: number, total: number) => void,
  ): Promise<readonly string[]>;
}
