import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { failed, shimRequestSchema, type ShimResponse } from './shim-protocol.ts';

const SHIM = join(import.meta.dirname, 'shim.ts');
/** Place of code that was compiled by a run before: without one, each shim loads a parser of TypeScript first. */
const COMPILED = join(import.meta.dirname, '../../../node_modules/.cache/holdfast');
const PROGRAMS = ['systemctl', 'nitro-cli'] as const;

/** Programs by name: what answers a shim. */
export type ShimPrograms = Readonly<
  Record<(typeof PROGRAMS)[number], (args: readonly string[]) => Promise<ShimResponse>>
>;

/** Writes a program for each shim into a folder that is put on the PATH. */
export async function writeShims(folder: string, socketPath: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const program of PROGRAMS) {
    const path = join(folder, program);
    await writeFile(
      path,
      `#!/bin/sh\nNODE_COMPILE_CACHE='${COMPILED}' exec '${process.execPath}' '${SHIM}' '${socketPath}' ${program} "$@"\n`,
    );
    await chmod(path, 0o755);
  }
}

/** Serves the shims of one host. */
export class ShimServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(path: string, programs: ShimPrograms): Promise<ShimServer> {
    await rm(path, { force: true });
    const server = createServer({ allowHalfOpen: true });
    const shims = new ShimServer(server);
    server.on('connection', (socket) => {
      shims.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => shims.#sockets.delete(socket));
      void answer(socket, programs);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
    return shims;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}

/** Reads all that the shim sends. An iterator would destroy the socket at its end, and the answer with it. */
function readRequest(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.once('end', () => resolve(text));
    socket.once('close', () => reject(new Error('the shim is gone')));
  });
}

async function answer(socket: Socket, programs: ShimPrograms): Promise<void> {
  const response = await readRequest(socket)
    .then(async (request) => {
      const { program, args } = shimRequestSchema.parse(JSON.parse(request));
      return await programs[program](args);
    })
    .catch((error: unknown) => failed(error instanceof Error ? error.message : 'failed'));
  socket.end(JSON.stringify(response));
}
