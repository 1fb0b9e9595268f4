import type { Duplex } from 'node:stream';
import { FrameError, FrameStream } from '../frames/index.ts';
import { TransportError } from '../transport/errors.ts';
import { PARENT_CID, PARENT_PORT } from '../transport/ports.ts';
import type { ConnectOptions, Transport } from '../transport/transport.ts';
import { MAX_EGRESS_FRAME_BYTES, egressResponseSchema, type EgressOpen } from './egress.ts';
import { EgressError } from './errors.ts';

/**
 * Opens a connection to a host through the parent. The bytes that the duplex carries are the host's only as far as
 * the TLS inside it proves: the parent may have connected it to anything.
 *
 * `timeoutMs` covers the parent's look-up and connection attempts too.
 * @throws EgressError
 */
export async function openEgress(
  transport: Pick<Transport, 'connect'>,
  { host, port }: EgressOpen,
  { timeoutMs, signal }: ConnectOptions,
): Promise<Duplex> {
  const end = performance.now() + timeoutMs;
  const cancel = signal === undefined ? {} : { signal };
  const stream = await transport
    .connect({ cid: PARENT_CID, port: PARENT_PORT.egress }, { timeoutMs, ...cancel })
    .catch((error: unknown) => {
      throw toEgressError(error);
    });
  try {
    const frames = new FrameStream(stream, { maxBytes: MAX_EGRESS_FRAME_BYTES });
    const left = () => ({ timeoutMs: Math.max(1, end - performance.now()), ...cancel });
    await frames.write({ host, port }, left());
    const response = await frames.read(egressResponseSchema, left());
    if (response.type === 'error') {
      throw new EgressError(`EGRESS_${response.code}`, 'the parent refused the connection', { host, port });
    }
    return frames.release();
  } catch (error) {
    stream.destroy();
    throw toEgressError(error);
  }
}

function toEgressError(error: unknown): unknown {
  if (error instanceof TransportError) {
    if (error.code === 'CONNECT_TIMEOUT') return timeout(error);
    if (error.code === 'CONNECT_ABORTED') return aborted(error);
    return new EgressError('EGRESS_UNREACHABLE', 'the parent cannot be reached', {}, error);
  }
  if (!(error instanceof FrameError)) return error;
  if (error.code === 'FRAME_TIMEOUT') return timeout(error);
  if (error.code === 'FRAME_ABORTED') return aborted(error);
  return new EgressError(
    'EGRESS_ANSWER_INVALID',
    'the response of the parent is not a valid frame',
    {},
    error,
  );
}

function timeout(cause: Error): EgressError {
  return new EgressError('EGRESS_TIMEOUT', 'the connection took too long', {}, cause);
}

function aborted(cause: Error): EgressError {
  return new EgressError('EGRESS_ABORTED', 'the attempt was given up', {}, cause);
}
