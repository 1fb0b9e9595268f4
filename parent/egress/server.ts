import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { errorCode } from '../../shared/errors.ts';
import { FrameError, FrameStream } from '../../shared/frames/index.ts';
import {
  MAX_EGRESS_FRAME_BYTES,
  egressOpenSchema,
  type EgressErrorCode,
  type EgressOpen,
} from '../../shared/protocol/egress.ts';
import type { Accepted, Listener, Transport } from '../../shared/transport/transport.ts';
import type { ConnectionTable } from '../common/connection-table.ts';
import { hangUp } from '../common/forward.ts';
import type { Log } from '../common/log.ts';
import { EgressRefusal } from './errors.ts';
import type { ConnectionLimiter } from './connection-limiter.ts';

const OPEN_TIMEOUT_MS = 5_000;

/** Connects to the target that an enclave names. @throws EgressRefusal */
export type ConnectEgress = (open: EgressOpen, signal: AbortSignal) => Promise<Socket>;

export interface EgressServerOptions {
  readonly transport: Transport;
  readonly port: number;
  /** Target of every connection of this port; when left out, the first frame names the target. */
  readonly target?: EgressOpen;
  /** Maximum of connections whose first frame has not come yet. */
  readonly maxUnnamed: number;
  readonly isEnclave: (cid: number) => boolean;
  readonly connect: ConnectEgress;
  readonly limiter: ConnectionLimiter;
  readonly table: ConnectionTable;
  readonly log: Log;
  /** Called for every attempt: `ok` or the code of its refusal, and how long the attempt took in seconds. */
  readonly onAttempt: (outcome: EgressErrorCode | 'ok', seconds: number) => void;
}

/** Listens for an enclave's connections to targets. @throws TransportError ADDRESS_IN_USE, LISTEN_FAILED */
export async function startEgressServer(options: EgressServerOptions): Promise<Listener> {
  const { transport, isEnclave, log } = options;
  const unnamed: Unnamed = { count: 0, max: options.maxUnnamed };
  return await transport.listen(options.port, ({ stream, peer }: Accepted) => {
    if (!isEnclave(peer.cid)) {
      log('warn', 'egress.turned-away', { cid: peer.cid });
      stream.destroy();
      return;
    }
    stream.on('error', () => {});
    serve(stream, unnamed, options).catch((error: unknown) => {
      log('error', 'egress.failed', { code: errorCode(error) });
      stream.destroy();
    });
  });
}

/** Count of the connections of one port whose first frame has not come yet. */
interface Unnamed {
  readonly max: number;
  count: number;
}

async function serve(stream: Duplex, unnamed: Unnamed, options: EgressServerOptions): Promise<void> {
  const { target, log, onAttempt } = options;
  const startedAt = performance.now();
  const frames = new FrameStream(stream, { maxBytes: MAX_EGRESS_FRAME_BYTES });
  let open: EgressOpen | undefined = target;
  try {
    open ??= await readOpen(frames, unnamed);
    const { socket, leave } = await connect(stream, open, options);
    try {
      if (target === undefined) await frames.write({ type: 'ok' }, { timeoutMs: OPEN_TIMEOUT_MS });
    } catch (error) {
      leave();
      socket.destroy();
      throw error;
    }
    onAttempt('ok', (performance.now() - startedAt) / 1_000);
    const { host, port } = open;
    options.table.forward(frames.release(), socket, 'near', ({ received, sent, durationMs, cut }) => {
      leave();
      log('info', 'egress.closed', { host, port, received, sent, durationMs: Math.round(durationMs), cut });
    });
  } catch (error) {
    const code = refusalCode(error);
    onAttempt(code, (performance.now() - startedAt) / 1_000);
    log('warn', 'egress.refused', { host: open?.host, port: open?.port, code, address: addressIn(error) });
    // A port without frames has no way to tell the reason: the connection just ends.
    if (target === undefined) {
      await frames.write({ type: 'error', code }, { timeoutMs: OPEN_TIMEOUT_MS }).catch(() => {});
    }
    hangUp(frames.release());
  }
}

async function readOpen(frames: FrameStream, unnamed: Unnamed): Promise<EgressOpen> {
  if (unnamed.count >= unnamed.max) {
    throw new EgressRefusal('TOO_MANY_UNNAMED', 'too many connections have not said where to');
  }
  unnamed.count += 1;
  try {
    return await frames.read(egressOpenSchema, { timeoutMs: OPEN_TIMEOUT_MS });
  } finally {
    unnamed.count -= 1;
  }
}

async function connect(
  stream: Duplex,
  open: EgressOpen,
  { connect: dial, limiter }: EgressServerOptions,
): Promise<{ socket: Socket; leave: () => void }> {
  const gone = new AbortController();
  const onClose = () => gone.abort();
  stream.once('close', onClose);
  const leave = await limiter.enter();
  try {
    return { socket: await dial(open, gone.signal), leave };
  } catch (error) {
    leave();
    throw error;
  } finally {
    stream.off('close', onClose);
  }
}

/** Address that was refused, where there was one. */
function addressIn(error: unknown): string | undefined {
  const address = error instanceof EgressRefusal ? error.details['address'] : undefined;
  return typeof address === 'string' ? address : undefined;
}

function refusalCode(error: unknown): EgressErrorCode {
  if (error instanceof EgressRefusal) return error.code;
  if (error instanceof FrameError) return 'BAD_REQUEST';
  throw error;
}
