import { MAX_EXIT_REPORT_BYTES, parseExitReport, type ExitReport } from '../../shared/native/exit-report.ts';
import { PARENT_PORT } from '../../shared/transport/ports.ts';
import type { Accepted, Listener, Transport } from '../../shared/transport/transport.ts';
import type { Log } from '../common/log.ts';

export interface ExitListenerOptions {
  readonly transport: Transport;
  readonly isEnclave: (cid: number) => boolean;
  readonly onExit: (report: ExitReport) => void;
  readonly log: Log;
}

const TIMEOUT_MS = 5_000;
/** Maximum of connections. An enclave ends once, but its program could open as many as it likes. */
const MAX_CONNECTIONS = 8;

/** Listens for the exit line of an enclave's init. @throws TransportError ADDRESS_IN_USE, LISTEN_FAILED */
export async function startExitListener(options: ExitListenerOptions): Promise<Listener> {
  const { transport, isEnclave, onExit, log } = options;
  let connections = 0;
  return await transport.listen(PARENT_PORT.exit, ({ stream, peer }: Accepted) => {
    if (!isEnclave(peer.cid) || connections >= MAX_CONNECTIONS) {
      log('warn', 'exit.turned-away', { cid: peer.cid, connections });
      stream.destroy();
      return;
    }
    connections += 1;
    let line = '';
    const timer = setTimeout(() => stream.destroy(), TIMEOUT_MS);
    stream.on('error', () => {});
    stream.once('close', () => {
      connections -= 1;
      clearTimeout(timer);
    });
    stream.on('data', (chunk: Buffer) => {
      line += chunk.toString('latin1');
      if (line.length > MAX_EXIT_REPORT_BYTES) stream.destroy();
      else if (line.endsWith('\n')) {
        const report = parseExitReport(line);
        if (report !== undefined) onExit(report);
        stream.destroy();
      }
    });
    stream.once('end', () => stream.destroy());
  });
}
