import { createConnection, createServer, type Server, type Socket } from 'node:net';
import * as z from 'zod';
import { MAX_NSM_REQUEST_BYTES, MAX_NSM_RESPONSE_BYTES, type NsmDevice } from '../../enclave/nsm/device.ts';
import { FrameStream } from '../../shared/frames/index.ts';

const OVERHEAD = 64;
const TIMEOUT_MS = 10_000;
const messageSchema = z.strictObject({
  message: z.custom<Uint8Array>(
    (value) => value instanceof Uint8Array && value.length <= MAX_NSM_RESPONSE_BYTES,
  ),
});

/** Serves an NSM on a Unix socket to one enclave process, one call at a time as the device does. */
export function serveNsm(device: NsmDevice, path: string): Promise<Server> {
  const server = createServer((socket) => {
    answerCalls(device, socket).catch(() => socket.destroy());
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve(server));
  });
}

async function answerCalls(device: NsmDevice, socket: Socket): Promise<void> {
  const frames = new FrameStream(socket, { maxBytes: MAX_NSM_REQUEST_BYTES + OVERHEAD });
  const answers = new FrameStream(socket, { maxBytes: MAX_NSM_RESPONSE_BYTES + OVERHEAD });
  for (;;) {
    const { message } = await frames.read(messageSchema, {
      timeoutMs: TIMEOUT_MS,
      idleTimeoutMs: Number.POSITIVE_INFINITY,
    });
    await answers.write({ message: await device.exchange(message) }, { timeoutMs: TIMEOUT_MS });
  }
}

/** Opens the enclave's end of {@link serveNsm}. */
export async function openNsmSocket(path: string): Promise<NsmDevice> {
  const socket = createConnection(path);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  const frames = new FrameStream(socket, { maxBytes: MAX_NSM_RESPONSE_BYTES + OVERHEAD });
  return {
    exchange: async (message) => {
      await frames.write({ message }, { timeoutMs: TIMEOUT_MS });
      return (await frames.read(messageSchema, { timeoutMs: TIMEOUT_MS })).message;
    },
    close: () => socket.destroy(),
  };
}
