import { PARENT_PORT } from '../../../shared/transport/ports.ts';
import { openVsockTransport } from '../../../shared/native/vsock-transport.ts';
import { report } from './report.ts';

// Runs in the guest at CID 3: answers the heartbeat as nitro-cli does, and shows what enclaves say.
const PROBE_PORT = 7100;
const transport = openVsockTransport();

await transport.listen(PARENT_PORT.heartbeat, ({ stream, peer }) => {
  stream.once('data', (beat: Buffer) => {
    report('heartbeat', { cid: peer.cid, beat: beat.toString('hex') });
    stream.end(beat);
  });
});
await transport.listen(PARENT_PORT.exit, ({ stream, peer }) => {
  let line = '';
  stream.on('data', (chunk: Buffer) => (line += chunk.toString('latin1')));
  stream.on('end', () => {
    report('exit', { cid: peer.cid, line });
    stream.end();
  });
});
await transport.listen(PROBE_PORT, ({ stream, peer }) => {
  report('dialled', { cid: peer.cid });
  stream.pipe(stream);
});
report('ready', { cid: transport.cid });
