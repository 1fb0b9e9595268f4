import { readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createNsmClient } from '../../../enclave/nsm/index.ts';
import { checkEnclaveHost } from '../../../enclave/platform/host-check.ts';
import { leaveExitReason } from '../../../enclave/platform/exit-reason.ts';
import { openNsmDevice } from '../../../enclave/platform/nsm-device.ts';
import { ENCLAVE_PORT, PARENT_CID } from '../../../shared/transport/ports.ts';
import { openVsockTransport } from '../../../shared/native/vsock-transport.ts';
import { errorCode } from '../../../shared/errors.ts';
import { report } from './report.ts';

// Runs as the only program of an image: shows what the enclave is like from inside.
const PROBE_PORT = 7100;
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

function attempt(act: () => unknown): string {
  try {
    act();
    return 'done';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
  }
}

async function attemptTcp(): Promise<string> {
  const socket = connect(443, '127.0.0.1');
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  return error.code ?? 'UNKNOWN';
}

async function describeDevice(): Promise<void> {
  const nsm = createNsmClient(openNsmDevice());
  const description = await nsm.describe();
  const pcrs: Record<string, string> = {};
  for (const index of [0, 1, 2, 3, 4, 8]) pcrs[index] = hex((await nsm.describePcr(index)).value);
  report('nsm', { moduleId: description.module_id, pcrs });

  const extended = await nsm.extendPcr(16, Buffer.from('manifest'));
  await nsm.lockPcr(16);
  const again = await nsm.extendPcr(16, Buffer.from('another')).then(
    () => 'done',
    (error: unknown) => errorCode(error),
  );
  report('pcr16', { extended: hex(extended), locked: (await nsm.describePcr(16)).locked, again });

  const nonce = Buffer.from('0011', 'hex');
  const document = await nsm.attest({ nonce, userData: new Uint8Array(1024), publicKey: Buffer.from('key') });
  report('document', { bytes: document.length, document: hex(document) });
  const answers = await Promise.all(Array.from({ length: 20 }, () => nsm.attest({ nonce })));
  report('queued', { answers: answers.length });
}

async function describeNetwork(): Promise<void> {
  const transport = openVsockTransport();
  const listener = await transport.listen(ENCLAVE_PORT.api, ({ stream }) => stream.destroy());
  await listener.close();
  const stream = await transport.connect({ cid: PARENT_CID, port: PROBE_PORT }, { timeoutMs: 5_000 });
  const echoed: Buffer[] = [];
  stream.end('from the enclave');
  for await (const chunk of stream) echoed.push(chunk as Buffer);
  const nobody = await transport.connect({ cid: PARENT_CID, port: 7_999 }, { timeoutMs: 1_000 }).then(
    () => 'connected',
    (error: unknown) => errorCode(error),
  );
  report('vsock', { cid: transport.cid, echo: Buffer.concat(echoed).toString(), nobody });
}

async function describeRestrictions(): Promise<void> {
  const { Worker } = await import('node:worker_threads');
  const { spawnSync } = await import('node:child_process');
  report('restrictions', {
    uid: process.getuid?.(),
    environment: process.env,
    arguments: process.argv.slice(2),
    writeRoot: attempt(() => writeFileSync('/written', 'x')),
    writeApp: attempt(() => writeFileSync('/app/main.mjs', 'x')),
    readInit: attempt(() => readFileSync('/init')),
    readKernelLog: attempt(() => readFileSync('/dev/kmsg')),
    spawn: attempt(() => {
      const { error } = spawnSync('/app/node', ['--version']);
      if (error !== undefined) throw error;
    }),
    worker: attempt(() => new Worker('', { eval: true })),
    generatedCode: attempt(() => Reflect.construct(Function, ['return 1'])),
    connectTcp: await attemptTcp(),
    limits: attempt(() => readFileSync('/proc/self/limits')),
  });
}

report('started', {
  version: process.version,
  sinceBootMs: Math.round(Number(process.hrtime.bigint() / 1_000_000n)),
});
await checkEnclaveHost();
report('checked', { rss: process.memoryUsage().rss });
await describeDevice();
await describeNetwork();
await describeRestrictions();
leaveExitReason('PROBE_DONE');
report('done');
process.exit(7);
