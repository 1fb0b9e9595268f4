import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { shimResponseSchema } from './shim-protocol.ts';

// A program on the path of a stand-in host: it passes its arguments on to the process that plays the host.
const [socketPath = '', program = '', ...args] = process.argv.slice(2);
const socket = connect({ path: socketPath, allowHalfOpen: true });
socket.on('error', () => {
  process.stderr.write(`${program}: this host is down\n`);
  process.exit(1);
});
socket.end(JSON.stringify({ program, args }));
const { exit, stdout, stderr } = shimResponseSchema.parse(JSON.parse(await text(socket)));
process.stdout.write(stdout);
process.stderr.write(stderr);
process.exitCode = exit;
