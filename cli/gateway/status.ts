import { get, type IncomingMessage } from 'node:http';
import { resolve } from 'node:path';
import * as z from 'zod';
import { ByteCollector } from '../../shared/byte-collector.ts';
import { parseJson } from '../../shared/json/index.ts';
import { type Command, type Io, UsageError } from '../common/command.ts';
import { CliError } from '../common/errors.ts';
import { printable } from '../common/printable.ts';
import { nextStep } from '../explain/explain-code.ts';
import { readGatewayFile } from './config-file.ts';
import { DEFAULT_GATEWAY_CONFIG, GATEWAY_OPTIONS } from './run-door.ts';

const TIMEOUT_MS = 5_000;
const MAX_STATUS_BYTES = 16 * 1024;

const readinessSchema = z.strictObject({
  ready: z.boolean(),
  code: z.string().max(64).nullable(),
  nodes: z.array(z.strictObject({ url: z.string().max(1024), code: z.string().max(64).optional() })),
});

/** Asks a door whether it is ready: what a probe that runs a command in the container asks, too. */
export const statusCommand: Command = {
  name: 'gateway status',
  summary: 'Say whether a door can carry requests, and if not, why.',
  positionals: '',
  options: {
    ...GATEWAY_OPTIONS,
    url: {
      type: 'string',
      value: 'URL',
      description:
        'where /readyz is answered: http://host:port (default: "probes" of the configuration, or its door)',
    },
  },
  examples: [
    'holdfast gateway status --url http://127.0.0.1:9470',
    'holdfast gateway status --config gateway.yaml --json',
  ],
  async run({ text, io }) {
    const url = readUrl(text('url')) ?? (await findProbes(text('config'), io));
    const status = await fetchReadiness(url);
    const lines = status.nodes.map((node) => `  ${printable(node.url)}  ${printable(node.code ?? 'serves')}`);
    if (status.ready) return { ok: true, text: ['ready', ...lines].join('\n'), data: status };
    const next = nextStep(status.code ?? '');
    return {
      ok: false,
      text: [
        `refused GATEWAY_NOT_READY: ${printable(status.code ?? '')}`,
        ...lines,
        `  next: ${printable(next)}`,
      ].join('\n'),
      data: { error: { code: 'GATEWAY_NOT_READY', message: 'the door is not ready', details: status, next } },
    };
  },
};

function readUrl(text: string | undefined): URL | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (url?.protocol !== 'http:') throw new UsageError('--url is http://host:port');
  return url;
}

/** Finds a listener that answers /readyz over plain HTTP: that for probes, or else one of a door. */
async function findProbes(config: string | undefined, io: Io): Promise<URL> {
  const file = await readGatewayFile(resolve(io.folder ?? '.', config ?? DEFAULT_GATEWAY_CONFIG));
  const doors = [file.kms, file.tezos, file.ethereum].map((door) => door?.listen);
  const found = [file.probes, ...doors.filter((listen) => listen?.tls === undefined)].find(
    (listen) => (listen?.port ?? 0) !== 0,
  );
  if (found?.port === undefined)
    throw new UsageError(
      'the configuration names no port for probes: add "probes: { port: 9470 }", or give --url',
    );
  const { host = '127.0.0.1', port } = found;
  const local = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return new URL(`http://${local.includes(':') ? `[${local}]` : local}:${port}`);
}

async function fetchReadiness(base: URL): Promise<z.infer<typeof readinessSchema>> {
  const bytes = await fetchBytes(new URL('/readyz', base));
  try {
    return readinessSchema.parse(parseJson(bytes, { maxBytes: MAX_STATUS_BYTES, maxDepth: 4 }));
  } catch (cause) {
    throw new CliError('GATEWAY_STATUS_MALFORMED', 'expected the readiness of a door', {}, cause);
  }
}

async function fetchBytes(url: URL): Promise<Uint8Array> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await new Promise<IncomingMessage>((done, reject) => {
      get(url, { signal }, done).once('error', reject);
    });
    const collected = new ByteCollector(MAX_STATUS_BYTES);
    for await (const chunk of response as AsyncIterable<Buffer>) {
      if (!collected.add(chunk))
        throw new CliError('GATEWAY_STATUS_MALFORMED', 'the response is longer than its maximum');
    }
    return collected.bytes();
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError('GATEWAY_UNREACHABLE', 'no door answers there', { url: url.href }, cause);
  }
}
