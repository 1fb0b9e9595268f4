import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encodeBundledEntry, parseTilePath, tileWidth } from '../../../audit/log/index.ts';
import type { SampleLog } from './sample-log.ts';

/** Reads a resource of a log by its path below the prefix, as C2SP tlog-tiles says; undefined where there is none. */
export function readResource(log: SampleLog, path: string): Buffer | undefined {
  if (path === 'checkpoint') return Buffer.from(log.checkpoint().note);
  const tile = parseTilePath(path);
  if (tile === undefined || tile.width > tileWidth(tile.level, tile.index, log.size)) return undefined;
  if (tile.level !== 'entries')
    return log.tiles.get(`${tile.level}/${tile.index}`)?.subarray(0, tile.width * 32);
  const first = tile.index * 256;
  return Buffer.concat(log.entries.slice(first, first + tile.width).map(encodeBundledEntry));
}

/** A log on loopback under a prefix. */
export interface ServedLog extends AsyncDisposable {
  /** With a slash at its end. */
  readonly url: string;
  /** Paths that were asked for. */
  readonly asked: string[];
}

/** Serves a log; `alter` may change what is given for a path, or take it away. */
export async function serveLog(
  log: SampleLog,
  alter: (path: string, bytes: Buffer | undefined) => Buffer | undefined = (_, bytes) => bytes,
): Promise<ServedLog> {
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    const path = (request.url ?? '').replace(/^\/log\//, '');
    asked.push(path);
    const bytes = alter(path, readResource(log, path));
    if (bytes === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/log/`,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
