import { createRequire } from 'node:module';
import { checkEnclaveHost } from '../../../enclave/platform/host-check.ts';
import { report } from './report.ts';

// Runs in an image with an addon that makes any system call, to find what is left to an attacker who has taken the
// program over.
const { call } = createRequire(import.meta.url)('/app/raw-call.node') as {
  call: (number: number, ...words: number[]) => number;
};
const [STREAM, DATAGRAM] = [1, 2];

await checkEnclaveHost();
report('calls', {
  unixSocket: call(41, 1, STREAM),
  vsockSocket: call(41, 40, STREAM),
  inetSocket: call(41, 2, STREAM),
  netlinkSocket: call(41, 16, DATAGRAM),
  ioUring: call(425, 8),
  memfd: call(319),
  signalToInit: call(62, 1, 0),
  unlink: call(87),
});
call(101); // ptrace
report('alive');
