import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Receiver at the other end of sd_notify(3), with the notices that it has got. */
export interface NoticeReceiver {
  readonly notices: readonly string[];
  /** Waits until so many notices are here. */
  until(count: number): Promise<void>;
  close(): Promise<void>;
}

// Perl is on every Debian machine, and has datagram sockets of the Unix domain, which Node has not.
const PROGRAM = String.raw`
use strict; use Socket;
my ($address, $deaf) = @ARGV;
$address =~ s/^@/\0/;
socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die;
bind($socket, pack_sockaddr_un($address)) or die $!;
$| = 1;
print "ready\n";
sleep 600 if $deaf;
while (defined recv($socket, my $notice, 65536, 0)) { print unpack("H*", $notice), "\n" }
`;

/** Binds a datagram socket at that address (`@name` is abstract) and takes what comes; a deaf one takes nothing. */
export async function receiveNotices(address: string, isDeaf = false): Promise<NoticeReceiver> {
  const child = spawn('perl', ['-e', PROGRAM, address, isDeaf ? '1' : ''], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const notices: string[] = [];
  let wake = (): void => {};
  const ready = new Promise<void>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line === 'ready') resolve();
      else notices.push(Buffer.from(line, 'hex').toString());
      wake();
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error('the receiver has ended')));
  });
  await ready;
  return {
    notices,
    async until(count) {
      while (notices.length < count) await new Promise<void>((resolve) => (wake = resolve));
    },
    async close() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
