import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { formatVerifierKey, isKeyName } from '../../../audit/log/index.ts';
import { verifyByNode } from '../../../audit/log/node-signatures.ts';
import {
  type Command,
  type CommandInput,
  type Outcome,
  readInput,
  UsageError,
} from '../../common/command.ts';
import { inFile } from '../../common/in-file.ts';
import { describeSystemError } from '../../common/system-error.ts';
import { generateKeys, readKeys } from './keys.ts';
import { parseLogsFile } from './logs-file.ts';
import { createWitnessServer } from './server.ts';
import { assertNoState, createState, openState } from './state.ts';

const DEFAULT_LISTEN = '127.0.0.1:7380';
const MAX_LOGS_FILE_BYTES = 16 * 1024 * 1024;

export const keygenCommand: Command = {
  name: 'audit witness-keygen',
  summary:
    'Make a witness: its keys, Ed25519 and ML-DSA-44, and its empty memory, in one folder. Both belong together for ever: a witness that forgets what it has cosigned is worth nothing.',
  positionals: 'FOLDER',
  options: {
    name: {
      type: 'string',
      value: 'NAME',
      required: true,
      description: 'name of the witness, such as witness.example/w1',
    },
  },
  examples: ['holdfast audit witness-keygen /var/lib/witness --name witness.example/w1'],
  async run({ positionals, text }) {
    const [folder = ''] = positionals;
    const name = text('name') ?? '';
    if (!isKeyName(name)) throw new UsageError('--name is not empty and has neither white space nor plus');
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
    } catch (error) {
      throw new UsageError(`cannot make ${folder}: ${describeSystemError(error)}`);
    }
    assertNoState(folder);
    const keys = (await generateKeys(folder, name)).map(({ key }) => key);
    createState(folder, keys);
    const vkeys = keys.map(formatVerifierKey);
    const lines = keys.map((key, index) => `${key.type}:\n  ${vkeys[index] ?? ''}`);
    return {
      ok: true,
      text: `the witness ${name} is made in ${folder}; its verifier keys, for those who rely on it, one of the two each:\n${lines.join('\n')}`,
      data: { folder, name, vkeys },
    };
  },
};

export const witnessCommand: Command = {
  name: 'audit witness',
  summary:
    'Serve as a witness (C2SP tlog-witness): cosign each checkpoint of the logs in a list that extends what was cosigned before. What is cosigned is on the disk before the cosignature leaves.',
  positionals: 'FOLDER',
  options: {
    logs: {
      type: 'string',
      value: 'FILE',
      required: true,
      description: 'YAML: "logs", a list of "origin" and "keys", verifier keys',
    },
    listen: {
      type: 'string',
      value: 'ADDRESS:PORT',
      description: `where to listen (default: ${DEFAULT_LISTEN}); TLS is for a proxy before it`,
    },
  },
  examples: [
    'holdfast audit witness /var/lib/witness --logs logs.yaml',
    'holdfast audit witness /var/lib/witness --logs logs.yaml --listen 10.0.3.7:7380 --json',
  ],
  isStream: true,
  run: runWitness,
};

async function runWitness(input: CommandInput): Promise<Outcome> {
  const { positionals, text, json, io } = input;
  const [folder = ''] = positionals;
  const address = readAddress(text('listen') ?? DEFAULT_LISTEN);
  const path = text('logs') ?? '';
  const file = await readInput(path, io, MAX_LOGS_FILE_BYTES);
  const logs = inFile(path, () => parseLogsFile(file));
  const keys = await readKeys(folder);
  using state = openState(
    folder,
    keys.map(({ key }) => key),
  );
  const print = (event: Record<string, unknown>, words: string) =>
    io.stdout.write(json ? `${JSON.stringify(event)}\n` : `${words}\n`);
  const server = createWitnessServer({
    keys,
    logs,
    state,
    verify: verifyByNode,
    now: Date.now,
    onOutcome: ({ code, ...about }) => {
      const { origin = '', size = '' } = about;
      print({ event: 'request', code, ...about }, `${code} ${origin} ${size}`.trimEnd());
    },
  });
  server.listen(address);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new UsageError(`cannot listen on ${address.host}:${address.port}: ${describeSystemError(error)}`);
  }
  const { port } = server.address() as AddressInfo;
  const url = `http://${address.host}:${port}`;
  const vkeys = keys.map(({ key }) => formatVerifierKey(key));
  print(
    { event: 'serving', url, logs: logs.size, vkeys },
    `serving on ${url} for ${logs.size} logs, as\n${vkeys.join('\n')}`,
  );
  if (!io.signal.aborted) await once(io.signal, 'abort');
  const closed = once(server, 'close');
  server.close();
  server.closeAllConnections();
  await closed;
  return { ok: true, text: 'stopped', data: { event: 'stopped' } };
}

function readAddress(text: string): { host: string; port: number } {
  const [, bracketed, plain = '', port = ''] =
    /^(?:\[([0-9a-fA-F:.]+)\]|([0-9a-zA-Z.-]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === '' || Number(port) > 65_535)
    throw new UsageError('--listen is an address and a port, 127.0.0.1:7380');
  return { host, port: Number(port) };
}
