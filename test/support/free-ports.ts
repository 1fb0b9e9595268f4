import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** Ports of one test process are this far apart: each process of one run has a row of its own. */
const ROWS = 8;
const LOWEST = 12_000;
/** Where the kernel's own ports begin on a machine that does not say it otherwise. */
const USUAL_END = 32_768;

const taken = new Set<number>();

/**
 * Finds ports of loopback that nothing listens at, and that stay free until somebody binds them on purpose. The kernel
 * gives none of them to a connection or to a listener at port 0: of those that it gives, any may be in use again by the
 * time that a test comes to bind it, or to bind it once more.
 *
 * Source: ip(7), "ip_local_port_range".
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = drawPort();
    if (taken.has(port) || !(await isFree(port))) continue;
    taken.add(port);
    ports.push(port);
  }
  return ports;
}

/** Finds one port as {@link freePorts} does. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

function drawPort(): number {
  const row = Number(process.env['VITEST_POOL_ID'] ?? 0) % ROWS;
  return LOWEST + row + ROWS * randomInt(Math.floor((endOfPorts() - LOWEST) / ROWS) - 1);
}

/** First port that the kernel gives by itself, where there is room below it. */
function endOfPorts(): number {
  const [first = ''] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/);
  return Number(first) > LOWEST + 1_000 ? Number(first) : USUAL_END;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const isListening = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (isListening) await once(server.close(), 'close');
  return isListening;
}
