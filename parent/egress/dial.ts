import { createConnection, type Socket } from 'node:net';
import { EgressRefusal } from './errors.ts';
import { isAddressAllowed } from './addresses.ts';
import type { AllowedTarget } from './targets.ts';

/** Looks up the addresses of a DNS name, best first. Rejects when they cannot be had. */
export type LookUp = (host: string, signal: AbortSignal) => Promise<readonly string[]>;

export interface DialOptions {
  readonly lookUp: LookUp;
  /** Milliseconds for the look-up and all attempts together. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Maximum of addresses that are tried, however many a name has. */
const MAX_ATTEMPTS = 8;
const MIN_ATTEMPT_MS = 1_000;

/**
 * Connects to an allowed target: each address that may be reached gets its share of the time, until one accepts. A
 * failure concerns this connection alone.
 * @throws EgressRefusal DNS_FAILED, ADDRESS_FORBIDDEN, CONNECT_FAILED, CONNECT_TIMEOUT
 */
export async function dialTarget(target: AllowedTarget, options: DialOptions): Promise<Socket> {
  const { host, port, connectTo } = target;
  if (connectTo !== undefined) return await dialAny([connectTo.address], connectTo.port, options);
  const end = performance.now() + options.timeoutMs;
  const addresses = await options.lookUp(host, options.signal).catch((error: unknown) => {
    throw new EgressRefusal('DNS_FAILED', 'the host has no address', { host }, error);
  });
  if (addresses.length === 0) throw new EgressRefusal('DNS_FAILED', 'the host has no address', { host });
  const allowed = addresses.filter((address) => isAddressAllowed(address, target.networks));
  if (allowed.length === 0) {
    throw new EgressRefusal('ADDRESS_FORBIDDEN', 'the host lies where no connection may go', {
      host,
      address: addresses[0],
    });
  }
  return await dialAny(allowed.slice(0, MAX_ATTEMPTS), port, {
    ...options,
    timeoutMs: end - performance.now(),
  });
}

/**
 * Connects to the first of several addresses that accepts, each with its share of the time.
 * @throws EgressRefusal CONNECT_FAILED, CONNECT_TIMEOUT
 */
export async function dialAny(
  addresses: readonly string[],
  port: number,
  options: Omit<DialOptions, 'lookUp'>,
): Promise<Socket> {
  const end = performance.now() + options.timeoutMs;
  let failure: EgressRefusal | undefined;
  for (const [index, address] of addresses.entries()) {
    const left = end - performance.now();
    if (left <= 0 || options.signal.aborted) break;
    const share = Math.min(left, Math.max(MIN_ATTEMPT_MS, left / (addresses.length - index)));
    try {
      return await dialOne(address, port, share, options.signal);
    } catch (error) {
      if (!(error instanceof EgressRefusal)) throw error;
      failure = error;
    }
  }
  throw failure ?? new EgressRefusal('CONNECT_TIMEOUT', 'no time was left to connect');
}

function dialOne(host: string, port: number, timeoutMs: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port, allowHalfOpen: true, noDelay: true, keepAlive: true });
    const settle = (failure?: EgressRefusal) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.off('connect', onConnect);
      if (failure === undefined) resolve(socket);
      else {
        socket.destroy();
        reject(failure);
      }
    };
    const details = { address: host, port };
    const onConnect = () => settle();
    const onAbort = () => settle(new EgressRefusal('CONNECT_FAILED', 'the connection was given up', details));
    const timer = setTimeout(
      () => settle(new EgressRefusal('CONNECT_TIMEOUT', 'the target does not answer', details)),
      timeoutMs,
    );
    socket.once('connect', onConnect);
    // The listener stays attached: an error event without one would end the process.
    socket.on('error', (error) => {
      settle(new EgressRefusal('CONNECT_FAILED', 'the target refuses', details, error));
    });
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  });
}
