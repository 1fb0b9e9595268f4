import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { TransportError } from './errors.ts';

/**
 * Longest path that fits into sun_path with its terminating zero, in bytes: 108 bytes on Linux, see unix(7), 104 on
 * macOS.
 */
const MAX_SOCKET_PATH_BYTES = process.platform === 'linux' ? 107 : 103;

/** A path that fits into sockaddr_un; `release` closes the descriptor that shortens it, if any. */
export interface SocketPath {
  readonly path: string;
  release(): Promise<void>;
}

/** Makes the folder of the sockets, for its owner alone. */
export async function makeSocketDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
}

/**
 * Finds a path of a socket file that is short enough. One that is too long goes through an open descriptor of its
 * folder, which Linux shows under /proc/self/fd: a state folder may lie as deep as its owner likes.
 * @throws TransportError LISTEN_FAILED or CONNECT_FAILED (as asked) where that is not to be had
 */
export async function openSocketPath(
  directory: string,
  file: string,
  failure: 'CONNECT_FAILED' | 'LISTEN_FAILED',
): Promise<SocketPath> {
  const path = join(directory, file);
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES) return { path, release: () => Promise.resolve() };
  if (process.platform !== 'linux') {
    throw new TransportError(failure, 'the path is too long for a Unix socket', {
      path,
      maximum: MAX_SOCKET_PATH_BYTES,
    });
  }
  const handle: FileHandle = await open(directory, 'r');
  return { path: `/proc/self/fd/${handle.fd}/${file}`, release: () => handle.close() };
}
