import { readTargets } from '../../parent/config/build.ts';
import type { VsockProxyFileWarning } from '../../parent/config/vsock-proxy-file.ts';
import { describeNetworkFault } from '../../parent/egress/addresses.ts';
import { createJsonLog } from '../../parent/index.ts';
import { readParentConfig, startParentService } from '../../parent/service.ts';
import { connectServiceManager } from '../../parent/systemd.ts';
import { openParentTransport } from '../../parent/common/vsock.ts';
import { startVsockProxy } from '../../parent/vsock-proxy.ts';
import { createUnixTransport } from '../../shared/transport/unix-transport.ts';
import { PARENT_CID } from '../../shared/transport/ports.ts';
import { type Command, type CommandInput, type Io, UsageError } from '../common/command.ts';
import { CliError } from '../common/errors.ts';
import { deployCommands } from './deploy.ts';
import { configOption, DEFAULT_CONFIG, storeCommands } from './store.ts';
import { formatParentStatus, parentStatusSchema, type ParentStatus } from './status.ts';
import { printable } from '../common/printable.ts';
import { fetchStatusPage } from '../common/status-page.ts';

const runCommand: Command = {
  name: 'parent run',
  summary: 'Run the host side of an enclave until SIGTERM. SIGHUP reads allow-list and peers again.',
  positionals: '',
  options: configOption,
  examples: ['holdfast parent run --config /etc/holdfast/parent.yaml'],
  async run({ text, io }) {
    const path = text('config') ?? DEFAULT_CONFIG;
    const { log: level } = await readParentConfig(path);
    const log = createJsonLog((line) => io.stdout.write(line), { level });
    const manager = connectServiceManager(process.env, log);
    const service = await startParentService(path, log);
    const reload = () => {
      void manager
        .reloading()
        .then(() => service.reload())
        .then(() => manager.ready());
    };
    process.on('SIGHUP', reload);
    await manager.ready();
    await untilAborted(io);
    process.off('SIGHUP', reload);
    await manager.stopping();
    await service.close();
    manager.close();
    return { ok: true, text: '', data: { stopped: true } };
  },
};

const checkCommand: Command = {
  name: 'parent check',
  summary: 'Read a configuration as "parent run" would, and say what is wrong with it.',
  positionals: '',
  options: configOption,
  examples: ['holdfast parent check --config /etc/holdfast/parent.yaml'],
  async run({ text }) {
    const path = text('config') ?? DEFAULT_CONFIG;
    const { enclave, egress, ingress, status, peers } = await readParentConfig(path);
    const { targets, warnings } = await readTargets(egress);
    const listens = [
      ingress === undefined
        ? 'no clients are let in'
        : `clients at ${ingress.listen.host}:${ingress.listen.port}`,
      status === undefined ? 'no status page' : `status at ${status.listen.host}:${status.listen.port}`,
      ...(peers === undefined
        ? []
        : [
            `node ${peers.node} with ${peers.nodes.length} others ${peers.nats === undefined ? 'by TCP' : 'by NATS'}`,
          ]),
    ];
    return {
      ok: true,
      text: [
        `${path} is in order: enclave ${enclave.cid}, ${targets.length} allowed targets, ${listens.join(', ')}; "holdfast doctor" looks at files, image and host`,
        ...warnings.map(describeAllowListWarning),
      ].join('\n'),
      data: { path, enclaveCid: enclave.cid, targets: targets.length, warnings },
    };
  },
};

function describeAllowListWarning({ code, line, address }: VsockProxyFileWarning): string {
  const what =
    code === 'ALLOWLIST_DOCUMENT_IGNORED'
      ? 'a second YAML document, which nobody reads'
      : `"${printable(address ?? '')}" is no host, and no pattern either: it opens nothing`;
  return `WARNING: egress.allowlistFile, line ${line}: ${what} (${code})`;
}

const statusCommand: Command = {
  name: 'parent status',
  summary: 'Say in a few lines whether the node on this machine serves, and if not, why.',
  positionals: '',
  options: {
    url: {
      type: 'string',
      value: 'URL',
      setting: 'status',
      description: 'the status page (default: http://127.0.0.1:9464)',
    },
  },
  examples: ['holdfast parent status', 'holdfast parent status --url http://127.0.0.1:9464 --json'],
  async run({ text }) {
    const url = text('url') ?? 'http://127.0.0.1:9464';
    const status = await fetchStatus(url);
    if (status === undefined) {
      return {
        ok: false,
        text: `refused PARENT_UNREACHABLE: the parent does not answer at ${url}\nwhat to do  "systemctl status holdfast-parent" and "journalctl -u holdfast-parent"; --url where status.listen is another address`,
        data: {
          error: { code: 'PARENT_UNREACHABLE', message: 'the parent does not answer', details: { url } },
        },
      };
    }
    return {
      ok: status.node?.phase === 'serving',
      text: formatParentStatus(status, Date.now()),
      data: status,
    };
  },
};

const vsockProxyCommand: Command = {
  name: 'parent vsock-proxy',
  summary: "Forward one vsock port to one TCP address, with the arguments of AWS's vsock-proxy.",
  positionals: 'LOCAL_PORT REMOTE_ADDR REMOTE_PORT',
  options: {
    config: {
      type: 'string',
      value: 'FILE',
      description: 'the allow-list (default: /etc/nitro_enclaves/vsock-proxy.yaml)',
    },
    ipv4: { type: 'boolean', description: 'only IPv4 addresses of the host (holdfast-vsock-proxy: -4)' },
    ipv6: { type: 'boolean', description: 'only IPv6 addresses of the host (-6)' },
    num_workers: {
      type: 'string',
      value: 'NUMBER',
      description: 'connections at once (-w; default: 1024; the other program has 4)',
    },
    cid: {
      type: 'string',
      value: 'CID',
      description: 'the one enclave that may connect (default: any enclave)',
    },
    network: {
      type: 'string',
      value: 'CIDR',
      multiple: true,
      description: 'where the host may lie besides public addresses: the subnet of a VPC endpoint',
    },
    unix: { type: 'string', value: 'DIRECTORY', description: 'Unix sockets in place of vsock, for a trial' },
  },
  examples: [
    'holdfast parent vsock-proxy 8000 kms.eu-central-1.amazonaws.com 443',
    'holdfast-vsock-proxy 8000 kms.eu-central-1.amazonaws.com 443 --network 10.1.3.0/24',
    'holdfast-vsock-proxy -4 -w 64 8000 kms.eu-central-1.amazonaws.com 443 --config vsock-proxy.yaml',
  ],
  async run(input) {
    const { positionals, text, texts, flag, io } = input;
    const networks = texts('network');
    for (const block of networks) {
      const fault = describeNetworkFault(block);
      if (fault !== undefined) throw new UsageError(`--network ${printable(block)}: ${fault}`);
    }
    if (flag('ipv4') && flag('ipv6')) throw new UsageError('--ipv4 and --ipv6 exclude each other');
    const unix = text('unix');
    const cid = text('cid');
    const proxy = await startVsockProxy({
      transport:
        unix === undefined
          ? openParentTransport()
          : createUnixTransport({ directory: unix, cid: PARENT_CID }),
      port: parseNumber(positionals[0], 'LOCAL_PORT', 0xffff_ffff),
      host: positionals[1] ?? '',
      remotePort: parseNumber(positionals[2], 'REMOTE_PORT', 65_535),
      allowListFile: text('config') ?? '/etc/nitro_enclaves/vsock-proxy.yaml',
      family: flag('ipv4') ? 'ipv4' : flag('ipv6') ? 'ipv6' : 'any',
      networks,
      maxConnections: parseNumber(text('num_workers') ?? '1024', '--num_workers', 1_000_000),
      ...(cid === undefined ? {} : { cid: parseNumber(cid, '--cid', 0xffff_ffff) }),
      log: createJsonLog((line) => io.stderr.write(line), { level: 'warn' }),
    });
    await untilAborted(io);
    await proxy.close();
    return { ok: true, text: '', data: { stopped: true } };
  },
};

export const parentCommands: readonly Command[] = [
  runCommand,
  checkCommand,
  statusCommand,
  ...storeCommands,
  ...deployCommands,
  vsockProxyCommand,
];

/** Parses a number; text that is no number in range is a usage error, never another number. */
function parseNumber(
  value: CommandInput['positionals'][number] | undefined,
  name: string,
  maximum: number,
): number {
  const number = /^[0-9]{1,10}$/.test(value ?? '') ? Number(value) : Number.NaN;
  if (!(number >= 1 && number <= maximum)) throw new UsageError(`${name} is a number from 1 to ${maximum}`);
  return number;
}

function untilAborted({ signal }: Io): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Fetches the status; undefined where nothing listens. @throws CliError STATUS_MALFORMED for another response */
async function fetchStatus(url: string): Promise<ParentStatus | undefined> {
  if (!URL.canParse(url) || new URL(url).protocol !== 'http:') throw new UsageError('--url is an http URL');
  try {
    return await fetchStatusPage(new URL(url), parentStatusSchema);
  } catch (error) {
    if (error instanceof CliError && error.code === 'STATUS_UNREACHABLE') return undefined;
    throw error;
  }
}
