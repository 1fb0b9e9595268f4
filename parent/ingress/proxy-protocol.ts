import type { Socket } from 'node:net';
import { HoldfastError } from '../../shared/errors.ts';

export type ProxyProtocolErrorCode = 'PROXY_HEADER_INVALID';

/** Connection that does not begin with a proper header, on a port for the load balancer alone. */
export class ProxyProtocolError extends HoldfastError<ProxyProtocolErrorCode> {}

/** Signature of version 2: https://www.haproxy.org/download/2.8/doc/proxy-protocol.txt, section 2.2 */
const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const FIXED_BYTES = 16;
/** Maximum of bytes for addresses and for the TLVs that AWS's load balancers add. */
const MAX_VARIABLE_BYTES = 1_024;
const PROXY = 0x21;
const LOCAL = 0x20;
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;

/**
 * Reads the source address of a version 2 header; undefined for a LOCAL header, the load balancer's own health check.
 * @throws ProxyProtocolError PROXY_HEADER_INVALID for anything else
 */
export function parseProxyHeader(header: Buffer): string | undefined {
  const length = parseVariableLength(header);
  const body = header.subarray(FIXED_BYTES, FIXED_BYTES + length);
  const command = header[12];
  if (command === LOCAL) return undefined;
  const family = header[13];
  if (command === PROXY && family === TCP_OVER_IPV4 && length >= 12) return body.subarray(0, 4).join('.');
  if (command === PROXY && family === TCP_OVER_IPV6 && length >= 36) {
    const groups = Array.from({ length: 8 }, (_, index) => body.readUInt16BE(index * 2).toString(16));
    return groups.join(':');
  }
  throw invalid();
}

function parseVariableLength(header: Buffer): number {
  if (!header.subarray(0, SIGNATURE.length).equals(SIGNATURE)) throw invalid();
  const length = header.readUInt16BE(14);
  if (length > MAX_VARIABLE_BYTES) throw invalid();
  return length;
}

/** Takes a header off a connection, and not a byte more. @throws ProxyProtocolError PROXY_HEADER_INVALID */
export async function readProxyHeader(socket: Socket, timeoutMs: number): Promise<string | undefined> {
  const end = performance.now() + timeoutMs;
  const fixed = await take(socket, FIXED_BYTES, end);
  const variable = parseVariableLength(fixed);
  return parseProxyHeader(variable === 0 ? fixed : Buffer.concat([fixed, await take(socket, variable, end)]));
}

async function take(socket: Socket, count: number, end: number): Promise<Buffer> {
  for (;;) {
    // A stream that is asked for more bytes than it reads ahead reads that many.
    const bytes = socket.read(count) as Buffer | null;
    if (bytes?.length === count) return bytes;
    if (bytes !== null || !(await waitForBytes(socket, end - performance.now()))) throw invalid();
  }
}

/** Waits until more bytes can be read; false when the time is over or the stream ends first. */
export function waitForBytes(socket: Socket, timeoutMs: number): Promise<boolean> {
  if (socket.destroyed || socket.readableEnded) return Promise.resolve(false);
  return new Promise((resolve) => {
    const before = socket.readableLength;
    const settle = () => {
      clearTimeout(timer);
      for (const event of ['readable', 'end', 'close']) socket.off(event, settle);
      resolve(socket.readableLength > before);
    };
    const timer = setTimeout(settle, Math.max(0, timeoutMs));
    for (const event of ['readable', 'end', 'close']) socket.on(event, settle);
    socket.read(0);
  });
}

function invalid(): ProxyProtocolError {
  return new ProxyProtocolError('PROXY_HEADER_INVALID', 'expected a PROXY protocol v2 header');
}
