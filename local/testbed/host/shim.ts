import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { ShimResponse } from './shim-protocol.ts';

// A program on the path of a stand-in host: it passes its arguments on to the process that plays the host. It starts often,
// and so loads no schema for what its own testbed answers.
const [socketPath = '', program = '', ...args] = process.argv.slice(2);
const socket = connect({ path: socketPath, allowHalfOpen: true });
socket.on('error', () => {
  process.stderr.write(`${program}: this host is down\n`);
  process.exit(1);
});
socket.end(JSON.stringify({ program, args }));
const { exit, stdout, stderr } = JSON.parse(await text(socket)) as ShimResponse;
process.stdout.write(stdout);
process.stderr.write(stderr);
process.exitCode = exit;
