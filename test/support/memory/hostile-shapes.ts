import { once } from 'node:events';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';

/** Opens a connection below TLS. */
export type Dial = () => Promise<Duplex>;

/** Misuse of a connection by a stranger, after which the connection is left open. */
export interface HostileShape {
  readonly what: string;
  readonly attack: (dial: Dial) => Promise<Duplex>;
}

const head = (target: string, ...lines: readonly string[]) =>
  [`POST ${target} HTTP/1.1`, 'host: node', ...lines, '', ''].join('\r\n');

/** Opens a TCP connection to this machine; one that is refused is closed. */
export async function openTcp(port: number): Promise<Duplex> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  socket.on('error', () => {});
  await new Promise<void>((resolve) => {
    socket.once('connect', resolve);
    socket.once('close', () => resolve());
  });
  return socket;
}

/** Opens TLS without a look at the certificate, where TLS is spoken. */
async function openTls(dial: Dial): Promise<Duplex> {
  const socket = connectTls({ socket: await dial(), rejectUnauthorized: false, servername: 'localhost' });
  socket.on('error', () => {});
  await Promise.race([once(socket, 'secureConnect'), once(socket, 'close')]);
  return socket;
}

async function openPlain(dial: Dial): Promise<Duplex> {
  const stream = await dial();
  stream.on('error', () => {});
  return stream;
}

/** Writes until all is taken or the other end has had enough. */
async function send(stream: Duplex, bytes: string | Uint8Array): Promise<void> {
  if (stream.destroyed || !stream.writable) return;
  await new Promise<void>((resolve) => {
    stream.once('close', () => resolve());
    stream.write(bytes, () => resolve());
  });
}

/** Sends each byte in a record, segment or message of its own. */
async function drip(stream: Duplex, bytes: string): Promise<void> {
  for (let index = 0; index < bytes.length; index += 1) {
    if (stream.destroyed || !stream.writable) return;
    stream.write(bytes.charAt(index), 'latin1');
    if (index % 8 === 7) await turn();
  }
}

/** Count of bytes that are sent one by one. */
const DRIPPED = 1_500;

interface Target {
  /** Target that takes a body of at least 60,000 bytes; or one that takes none. */
  readonly target: string;
  /** Header lines that such a request needs to get as far as its body. */
  readonly lines: readonly string[];
  readonly isTls: boolean;
}

/** Misuses of an HTTP server by strangers. */
export function httpShapes({ target, lines, isTls }: Target): readonly HostileShape[] {
  const open = isTls ? openTls : openPlain;
  const over = (what: string, act: (stream: Duplex) => Promise<void>, isReading = true): HostileShape => ({
    what,
    attack: async (dial) => {
      const stream = await open(dial);
      if (isReading) stream.resume();
      await act(stream);
      return stream;
    },
  });
  const get = `GET ${target} HTTP/1.1\r\nhost: node\r\n\r\n`;
  const expecting = get.replace('\r\n\r\n', '\r\nexpect: x\r\n\r\n');
  return [
    over('does nothing', async () => {}),
    over('sends a body in chunks of one byte', async (stream) => {
      await send(stream, head(target, ...lines, 'transfer-encoding: chunked') + '1\r\nx\r\n'.repeat(60_000));
    }),
    over('sends chunks of one byte with extensions, and trailers', async (stream) => {
      const chunks = '1;a=b\r\nx\r\n'.repeat(20_000);
      const trailers = 'ab: c\r\n'.repeat(1_000);
      await send(stream, `${head(target, ...lines, 'transfer-encoding: chunked')}${chunks}0\r\n${trailers}`);
    }),
    over('sends a body byte by byte', async (stream) => {
      await send(stream, head(target, ...lines, 'content-length: 60000'));
      await drip(stream, 'x'.repeat(DRIPPED));
    }),
    over('announces a body and sends none', async (stream) => {
      await send(stream, head(target, ...lines, 'content-length: 60000'));
    }),
    over('announces a body of gigabytes and sends megabytes', async (stream) => {
      await send(stream, head(target, ...lines, 'content-length: 9999999999') + 'x'.repeat(2 ** 21));
    }),
    over('waits for a word before its body', async (stream) => {
      await send(stream, head(target, ...lines, 'content-length: 60000', 'expect: 100-continue'));
    }),
    over('pipelines behind a request', async (stream) => await send(stream, get.repeat(20_000))),
    over('pipelines and reads nothing', async (stream) => await send(stream, get.repeat(20_000)), false),
    over('pipelines bodies byte by byte behind a request', async (stream) => {
      await send(stream, get);
      await drip(stream, head(target, ...lines, `content-length: ${DRIPPED}`) + 'x'.repeat(DRIPPED));
    }),
    over('never ends its many header fields', async (stream) => {
      await send(stream, head(target).slice(0, -2) + 'ab:c\r\n'.repeat(1_200));
    }),
    over('never ends one header field', async (stream) => {
      await send(stream, `${head(target).slice(0, -2)}x: `);
      await drip(stream, 'y'.repeat(DRIPPED));
    }),
    over('sends headers without end', async (stream) => {
      await send(stream, `${head(target).slice(0, -2)}x: ${'y'.repeat(2 ** 20)}`);
    }),
    over('asks for another protocol and goes on in that', async (stream) => {
      await send(stream, get.replace('\r\n\r\n', '\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'));
      await send(stream, 'z'.repeat(2 ** 20));
    }),
    over('pipelines requests that expect what nobody has heard of', async (stream) => {
      await send(stream, expecting.repeat(20_000));
    }),
    over(
      'pipelines requests that expect what nobody has heard of, and reads nothing',
      async (stream) => await send(stream, expecting.repeat(20_000)),
      false,
    ),
    over('expects what nobody has heard of, and sends chunks of one byte', async (stream) => {
      const lines = ['transfer-encoding: chunked', 'expect: x'];
      await send(stream, head(target, ...lines) + '1\r\nx\r\n'.repeat(60_000));
    }),
    over('ends its half after half a request', async (stream) => {
      await send(stream, head(target, ...lines, 'content-length: 60000'));
      stream.end();
    }),
  ];
}

/** Makes a TLS 1.3 record of a handshake message of `length` bytes, of which `sent` follow. */
function clientHello(length: number, sent: number): Buffer {
  const record = Buffer.alloc(5 + 4 + sent);
  record.set([22, 3, 1]);
  record.writeUInt16BE(4 + sent, 3);
  record.writeUInt8(1, 5);
  record.writeUIntBE(length, 6, 3);
  return record;
}

/** Misuses of a TLS server by strangers, before there is a session. */
export const TLS_SHAPES: readonly HostileShape[] = [
  {
    what: 'never begins its handshake',
    attack: openPlain,
  },
  {
    what: 'announces the longest handshake message, and sends little of it',
    attack: async (dial) => {
      const stream = await openPlain(dial);
      await send(stream, clientHello(131_000, 100));
      return stream;
    },
  },
  {
    what: 'sends its handshake byte by byte',
    attack: async (dial) => {
      const stream = await openPlain(dial);
      await drip(stream, clientHello(2_000, 1_900).toString('latin1'));
      return stream;
    },
  },
];
