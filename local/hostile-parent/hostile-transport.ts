import { Duplex, duplexPair } from 'node:stream';
import { errorCode } from '../../shared/errors.ts';
import { FrameStream } from '../../shared/frames/index.ts';
import {
  MAX_CONTROL_FRAME_BYTES,
  controlResponseSchema,
  controlRequestSchema,
  type ControlRequest,
} from '../../shared/protocol/control.ts';
import {
  MAX_EGRESS_FRAME_BYTES,
  egressErrorCodeSchema,
  egressOpenSchema,
  type EgressOpen,
} from '../../shared/protocol/egress.ts';
import { openEgress } from '../../shared/protocol/egress-client.ts';
import { PARENT_PORT } from '../../shared/transport/ports.ts';
import type { Accepted, Transport } from '../../shared/transport/transport.ts';
import { joinStreams } from '../../parent/index.ts';
import type { ControlReply, ControlScript, EgressReply, EgressScript, HostileScripts } from './scripts.ts';

const WAIT = { timeoutMs: 10_000 };
const WAIT_IDLE = { ...WAIT, idleTimeoutMs: Infinity };

type Accept = (accepted: Accepted) => void;

/**
 * Creates a transport between an enclave and a real parent that knows nothing of it: each message of the enclave goes
 * to a script, which may ask the real parent, or not, and gives back what it likes.
 */
export function createHostileTransport(transport: Transport, scripts: HostileScripts): Transport {
  const { onControl, onEgress, onIngress } = scripts;
  const counters = { control: 0, connection: 0, egress: 0 };
  return {
    cid: transport.cid,
    async connect(to, options) {
      const enclave = await transport.connect(to, options);
      return onIngress === undefined ? enclave : await onIngress(enclave);
    },
    async listen(port, accept) {
      return await transport.listen(port, (accepted) => {
        if (port === PARENT_PORT.control && onControl !== undefined) {
          run(accepted, () => interceptControl(accepted, accept, onControl, counters));
        } else if (port === PARENT_PORT.egress && onEgress !== undefined) {
          run(accepted, () => interceptEgress(accepted, accept, onEgress, counters));
        } else accept(accepted);
      });
    },
  };
}

/** Runs a script; one that throws breaks the connection, as a parent that crashes would. */
function run({ stream }: Accepted, intercept: () => Promise<void>): void {
  stream.on('error', () => {});
  intercept().catch(() => stream.destroy());
}

async function interceptControl(
  { stream, peer }: Accepted,
  accept: Accept,
  script: ControlScript,
  counters: { control: number; connection: number },
): Promise<void> {
  const [ours, theirs] = duplexPair();
  accept({ stream: theirs, peer });
  stream.once('close', () => ours.end());
  const parent = new FrameStream(ours, { maxBytes: MAX_CONTROL_FRAME_BYTES });
  const enclave = new FrameStream(stream, { maxBytes: MAX_CONTROL_FRAME_BYTES });
  const connection = counters.connection++;
  let last: Promise<unknown> = Promise.resolve();

  async function ask(request: ControlRequest) {
    await parent.write(request, WAIT);
    return await parent.read(controlResponseSchema, WAIT);
  }
  try {
    for (;;) {
      const request = await enclave.read(controlRequestSchema, WAIT_IDLE);
      const reply = await script({
        request,
        index: counters.control++,
        connection,
        honest(other = request) {
          const asked = last.then(() => ask(other));
          last = asked.catch(() => {});
          return asked;
        },
      });
      await deliverControl(reply, enclave, stream);
    }
  } finally {
    ours.end();
    stream.destroy();
  }
}

async function deliverControl(reply: ControlReply, enclave: FrameStream, stream: Duplex): Promise<void> {
  if (reply === 'silence') return;
  if (reply === 'hang-up') stream.destroy();
  else if ('raw' in reply) deliverRaw(reply, stream);
  else if ('type' in reply) await enclave.write(reply, WAIT);
  else for (const answer of reply) await enclave.write(answer, WAIT);
}

function deliverRaw({ raw, hangUp = false }: { raw: Uint8Array; hangUp?: boolean }, stream: Duplex): void {
  if (hangUp) stream.end(raw);
  else stream.write(raw);
}

async function interceptEgress(
  { stream, peer }: Accepted,
  accept: Accept,
  script: EgressScript,
  counters: { egress: number },
): Promise<void> {
  const enclave = new FrameStream(stream, { maxBytes: MAX_EGRESS_FRAME_BYTES });
  const open = await enclave.read(egressOpenSchema, WAIT);
  const index = counters.egress++;
  const honest = (other: EgressOpen = open) => openThrough(accept, peer.cid, other);
  let reply: EgressReply;
  try {
    reply = await script({ open, index, honest });
  } catch (error) {
    reply = refusalOf(error);
  }
  await deliverEgress(reply, enclave, stream);
}

/** Refusal of the real parent, which a script that only passes on has not caught. */
function refusalOf(error: unknown): EgressReply {
  const code = egressErrorCodeSchema.safeParse(errorCode(error).replace(/^EGRESS_/, ''));
  if (!code.success) throw error;
  return { refuse: code.data };
}

async function openThrough(accept: Accept, cid: number, open: EgressOpen): Promise<Duplex> {
  const [ours, theirs] = duplexPair();
  accept({ stream: theirs, peer: { cid, port: 0 } });
  const transport = { cid, connect: () => Promise.resolve(ours) };
  return await openEgress(transport, open, WAIT);
}

async function deliverEgress(reply: EgressReply, enclave: FrameStream, stream: Duplex): Promise<void> {
  if (reply === 'silence') return;
  if (reply === 'hang-up') stream.destroy();
  else if (reply instanceof Duplex) {
    await enclave.write({ type: 'ok' }, WAIT);
    joinStreams(enclave.release(), reply, () => {});
  } else if ('refuse' in reply) {
    await enclave.write({ type: 'error', code: reply.refuse }, WAIT);
    stream.end();
  } else deliverRaw(reply, stream);
}
