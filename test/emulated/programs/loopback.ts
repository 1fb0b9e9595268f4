import { openVsockTransport } from '../../../shared/native/vsock-transport.ts';
import { transportCases } from '../../shared/transport/transport-suite.ts';
import { report } from './report.ts';

// Runs in a guest that has vsock_loopback: every case of the transports over real AF_VSOCK, both ends in one machine.
const LOOPBACK_CID = 1;
const transport = { ...openVsockTransport(), cid: LOOPBACK_CID };
let port = 5_000;
for (const { name, run } of transportCases) {
  port += 1;
  try {
    await run({ server: transport, client: transport, port });
    report('case', { name, passed: true });
  } catch (error) {
    report('case', { name, passed: false, error: error instanceof Error ? error.stack : String(error) });
  }
}
report('done', { cases: transportCases.length });
process.exit(0);
