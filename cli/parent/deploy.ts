import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  createFolderSource,
  createLayout,
  createS3Source,
  createServiceManager,
  deploy,
  type DeployResult,
  listSnapshots,
  parseS3Address,
} from '../../parent/deploy/index.ts';
import type { DeploymentSource } from '../../parent/deploy/source.ts';
import { createNitroCli } from '../../parent/lifecycle/nitro-cli.ts';
import { type Command, type CommandInput, type Io, type Outcome, UsageError } from '../common/command.ts';
import { printable } from '../common/printable.ts';
import { createProgress } from '../common/progress.ts';

const DEFAULT_SECONDS = 300;
const MAX_SECONDS = 3_600;

const rootOption = {
  root: {
    type: 'string',
    value: 'FOLDER',
    description: 'the root of the host, for a stand-in (default: /)',
  },
} as const;

const deployCommand: Command = {
  name: 'parent deploy',
  summary:
    'Put an image with its manifest, configuration and settings in force on this host, whole or not at all.',
  positionals: '[SOURCE]',
  options: {
    previous: { type: 'boolean', description: 'go back to the former deployment of this host' },
    timeout: {
      type: 'string',
      value: 'SECONDS',
      description: `how long the node may take to serve or to halt (default: ${DEFAULT_SECONDS})`,
    },
    ...rootOption,
  },
  examples: [
    'holdfast parent deploy s3://acme-artifacts/deployments/1/5f0c2e7b9d6a4f18c3b2a1908f7e6d5c4b3a29181706f5e4d3c2b1a09f8e7d6c',
    'holdfast parent deploy ./deployment --json',
    'holdfast parent deploy --previous',
  ],
  async run(input) {
    const source = await openSource(input);
    const progress = createDeployProgress(input);
    try {
      const result = await deploy({
        layout: createLayout(rootOf(input)),
        source,
        manager: createServiceManager(),
        nitro: createNitroCli(),
        timeoutMs: readSeconds(input) * 1_000,
        clock: Date.now,
        onProgress: progress.show,
        signal: input.io.signal,
      });
      return describe(result);
    } finally {
      progress.finish();
      source?.close();
    }
  },
};

const snapshotsCommand: Command = {
  name: 'parent snapshots',
  summary: 'List the snapshots of the store that "parent deploy" took before it changed the image.',
  positionals: '',
  options: rootOption,
  examples: ['holdfast parent snapshots'],
  async run(input) {
    const snapshots = await listSnapshots(createLayout(rootOf(input)).snapshots);
    const lines = snapshots.map(
      ({ time, epoch, logSize, bytes, path }) =>
        `${time}  epoch ${epoch}, ${logSize} entries, ${bytes} bytes  ${path}`,
    );
    return {
      ok: true,
      text: lines.length === 0 ? 'no snapshots' : lines.map(printable).join('\n'),
      data: { snapshots },
    };
  },
};

/** Verbs that change what a host runs, and show what they kept. */
export const deployCommands: readonly Command[] = [deployCommand, snapshotsCommand];

async function openSource({ positionals, flag }: CommandInput): Promise<DeploymentSource | undefined> {
  const [address] = positionals;
  if (flag('previous')) {
    if (address !== undefined) throw new UsageError('either SOURCE or --previous');
    return undefined;
  }
  if (address === undefined)
    throw new UsageError('SOURCE is missing: a folder or s3://BUCKET/PREFIX/ID, or --previous');
  if (!address.startsWith('s3://')) {
    const found = await stat(address).catch(() => undefined);
    if (found?.isDirectory() !== true) throw new UsageError(`${printable(address)} is no folder`);
    return createFolderSource(resolve(address));
  }
  const parsed = parseS3Address(address);
  if (parsed === undefined) {
    throw new UsageError('s3://BUCKET/PREFIX/ID is expected, ID the SHA-256 of deployment.json in hex');
  }
  const { S3Client } = await import('@aws-sdk/client-s3');
  return createS3Source(parsed, new S3Client({}));
}

function rootOf({ text }: CommandInput): string {
  return resolve(text('root') ?? '/');
}

function readSeconds({ text }: CommandInput): number {
  const value = text('timeout') ?? `${DEFAULT_SECONDS}`;
  const seconds = /^[0-9]{1,5}$/.test(value) ? Number(value) : 0;
  if (seconds < 1 || seconds > MAX_SECONDS)
    throw new UsageError(`--timeout is a number of seconds from 1 to ${MAX_SECONDS}`);
  return seconds;
}

/** Shows a bar for files on a terminal, and each step as a line on standard error. */
function createDeployProgress({ io }: { readonly io: Io }) {
  const bar = createProgress(io, 'fetching');
  let shown = '';
  return {
    show: (words: string, share?: { readonly done: number; readonly total: number }) => {
      if (share !== undefined) bar.update(share.done, share.total);
      if (words === shown) return;
      if (share === undefined) bar.finish();
      shown = words;
      io.stderr.write(`${printable(words)}\n`);
    },
    finish: bar.finish,
  };
}

/** The node serves; or it has shown the document that was asked for, and waits for KMS to admit it. */
function isDone({ phase, code, attestation }: DeployResult): boolean {
  return phase === 'serving' || (attestation !== null && code === 'KMS_ACCESS_DENIED');
}

function describe(result: DeployResult): Outcome {
  const { phase, code, changed, deployment, url, identity, snapshot, attestation } = result;
  const lines = [
    phase === 'serving'
      ? 'the node serves'
      : `the node has halted: ${code ?? 'no code'} ("holdfast explain ${code ?? ''}")`,
    `deployment  ${deployment}${changed ? '' : ', in force already: nothing was changed'}`,
    ...(url === null ? [] : [`clients     ${url}`]),
    ...(identity === null
      ? []
      : [
          `store       ${identity.store.slice(0, 16)}…, epoch ${identity.epoch}, ${identity.log.size} entries in its log`,
        ]),
    ...(snapshot === null ? [] : [`snapshot    ${snapshot}`]),
    ...(attestation === null ? [] : ['document    made for the nonce: give it to the admin of the key']),
  ];
  return { ok: isDone(result), text: lines.map(printable).join('\n'), data: result };
}
