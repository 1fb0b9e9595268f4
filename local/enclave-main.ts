import { readFileSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { Socket } from 'node:net';
import * as z from 'zod';
import { bootNode } from '../enclave/boot/index.ts';
import { errorCode } from '../shared/errors.ts';
import { createUnixTransport } from '../shared/transport/unix-transport.ts';
import { createBootTimer } from './boot-times.ts';
import { openLocalGroups } from './local-groups.ts';
import { openLocalCurves } from './noble-curves.ts';
import { openNsmSocket } from './nitro-host/nsm-socket.ts';

// The enclave as a process on a laptop: the same boot as in an image, on stand-ins that the local Nitro host hands in
// over standard input. No image contains this file.
for (const name of Object.keys(process.env)) Reflect.deleteProperty(process.env, name);

const input = z
  .strictObject({
    cid: z.int(),
    nsmPath: z.string(),
    socketDirectory: z.string(),
    kmsRoots: z.array(z.string()),
    /** Root of the host's NSM, in base64 of DER. */
    nitroRoot: z.base64(),
  })
  .parse(JSON.parse(readFileSync(0, 'utf8')));

// The process ends with its host, however the host ended.
new Socket({ fd: 3 })
  .on('error', () => undefined)
  .on('close', () => process.exit(1))
  .resume()
  .unref();

try {
  const platform = {
    nsm: await openNsmSocket(input.nsmPath),
    transport: createUnixTransport({ directory: input.socketDirectory, cid: input.cid }),
    curves: openLocalCurves(),
    groups: openLocalGroups(),
    kmsRoots: input.kmsRoots,
    nitroRoot: new Uint8Array(Buffer.from(input.nitroRoot, 'base64')),
    systemClock: Date.now,
    // A laptop's kernel has its own entropy, and its owner may dump its memory.
    checkHost: () => Promise.resolve(),
  };
  const { times, observer } = createBootTimer();
  const node = await bootNode(platform, observer);
  process.on('SIGTERM', () => void node.stop());
  // An enclave is ended from outside, and writes nothing then.
  flushCompileCache();
  process.stdout.write(`${JSON.stringify({ serving: times })}\n`);
  await node.ended;
} catch (error) {
  process.stderr.write(`${JSON.stringify({ failed: errorCode(error) })}\n`);
  process.exitCode = 1;
}
