// A TCP server that does what the first byte of a connection says: E sends everything back, D takes it and says at the
// end how much it was. It prints its port.
import { createServer, type AddressInfo, type Socket } from 'node:net';

const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket: Socket) => {
  socket.on('error', () => {});
  socket.once('readable', () => {
    const mode = (socket.read(1) as Buffer | null)?.toString('latin1');
    if (mode === 'E') socket.pipe(socket);
    else {
      let bytes = 0;
      socket.on('data', (chunk: Buffer) => (bytes += chunk.length));
      socket.once('end', () => socket.end(String(bytes)));
    }
  });
});
server.listen({ host: '127.0.0.1', port: 0, backlog: 4_096 }, () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
