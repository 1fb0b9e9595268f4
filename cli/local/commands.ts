import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import { DEMO_PARTS, DEMO_STORIES, type DemoStep, type DemoStory, runDemo } from '../../local/demo/index.ts';
import { type Command, type Io, UsageError } from '../common/command.ts';
import { CliError } from '../common/errors.ts';
import { localUp } from './up.ts';

/** The most nodes that one machine is asked to run. */
const MAX_LOCAL_NODES = 9;
const MAX_PORT = 65_535;
/** Program of the command, for what runs as a process of its own. */
const COMMAND = fileURLToPath(new URL('../holdfast.js', import.meta.url));

/** Script of the working copy that signs a release. */
const MAKE_RELEASE = fileURLToPath(new URL('../../scripts/make-release.ts', import.meta.url));

const HEADINGS: Readonly<Record<DemoStep['part'], string>> = {
  provision: 'Provision',
  boot: 'Boot',
  sign: 'Sign',
  restart: 'Restart',
  'refuse at work': 'What a serving node refuses',
  'refuse at boot': 'What a node refuses to start on',
  decide: 'Decide',
  approve: 'Approve',
  prove: 'Prove',
  door: 'A door for a client of KMS',
  witness: 'Witness',
  quorum: 'Three nodes, one key',
  vault: 'A vault, from nothing to a signature',
};

/**
 * Asserts a working copy: the stand-in of an enclave measures and starts the sources, which the package does not hold.
 * @throws CliError CLONE_NEEDED
 */
function assertClone(): void {
  if (extname(import.meta.url) === '.ts') return;
  throw new CliError(
    'CLONE_NEEDED',
    'a local node runs from a working copy of the project, in its folder',
    {},
  );
}

const demo: Command = {
  name: 'local demo',
  summary:
    'Play the life of a policy node, of a quorum and of a vault on this machine, attacks and refusals included.',
  positionals: '',
  options: {
    part: {
      type: 'string',
      multiple: true,
      value: 'PART',
      description: `play this part alone, or several: ${DEMO_STORIES.join(', ')} (default: all)`,
    },
  },
  examples: ['holdfast local demo', 'holdfast local demo --part vault', 'holdfast local demo --json'],
  run: async ({ io, json, texts }) => {
    assertClone();
    const stories = readStories(texts('part'));
    let part: DemoStep['part'] | undefined;
    const steps = await runDemo({
      signal: io.signal,
      holdfast: [process.execPath, COMMAND],
      makeRelease: [process.execPath, MAKE_RELEASE],
      stories,
      onStep: (step) => {
        // Ctrl-C on a terminal reaches the enclave as well: steps that break for it are no result.
        if (json || io.signal.aborted) return;
        if (step.part !== part) io.stdout.write(`\n${paint(io, 'bold', HEADINGS[step.part])}\n`);
        part = step.part;
        io.stdout.write(`${formatStep(io, step)}\n`);
        for (const detail of step.details ?? []) io.stdout.write(`      ${paint(io, 'dim', detail)}\n`);
      },
    }).catch((error: unknown) => {
      throw io.signal.aborted ? new CliError('INTERRUPTED', 'interrupted') : error;
    });
    const ok = steps.every((step) => step.ok);
    return {
      ok,
      text: `\n${formatTable(steps)}\n${ok ? 'All as it must be.' : 'NOT as it must be.'}`,
      data: { steps },
    };
  },
};

function readStories(names: readonly string[]): readonly DemoStory[] {
  const unknown = names.find((name) => !DEMO_STORIES.some((story) => story === name));
  if (unknown !== undefined) throw new UsageError(`--part is one of ${DEMO_STORIES.join(', ')}`);
  return names.length === 0 ? DEMO_STORIES : DEMO_STORIES.filter((story) => names.includes(story));
}

function formatStep(io: Io, { ok, title, outcome, milliseconds }: DemoStep): string {
  const mark = ok ? paint(io, 'green', 'ok') : paint(io, 'red', 'NO');
  return `  ${mark}  ${title.padEnd(82)} ${paint(io, 'cyan', outcome)} ${paint(io, 'dim', `${milliseconds === 0 ? '< 1' : milliseconds} ms`)}`;
}

function formatTable(steps: readonly DemoStep[]): string {
  const played = DEMO_PARTS.filter((part) => steps.some((step) => step.part === part));
  const rows = played.map((part) => {
    const own = steps.filter((step) => step.part === part);
    const time = own.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    const passed = own.filter(({ ok }) => ok).length;
    return `${HEADINGS[part].padEnd(38)} ${`${passed}/${own.length}`.padStart(6)} ${(time / 1000).toFixed(1).padStart(7)} s`;
  });
  return [`${''.padEnd(38)} ${'as due'.padStart(6)} ${'time'.padStart(9)}`, ...rows].join('\n');
}

function paint(io: Io, style: 'bold' | 'green' | 'red' | 'cyan' | 'dim', text: string): string {
  return io.stdout.isTTY === true ? styleText(style, text) : text;
}

const up: Command = {
  name: 'local up',
  isStream: true,
  summary: 'Run a policy node, or a quorum, with its AWS and its Nitro hosts on this machine, until Ctrl-C.',
  positionals: '',
  options: {
    state: { type: 'string', value: 'FOLDER', description: 'where everything is kept (default: .holdfast)' },
    nodes: {
      type: 'string',
      value: 'N',
      description: `how many nodes, each of its own account, admin and host, up to ${MAX_LOCAL_NODES} (default: 1)`,
    },
    port: {
      type: 'string',
      value: 'PORT',
      description: 'where clients reach the first node, the others at the next ports (default: 8443)',
    },
    gateway: {
      type: 'boolean',
      description: 'run a door for KMS clients in front of them, with a pool in which it makes keys',
    },
    'gateway-port': {
      type: 'string',
      value: 'PORT',
      description: 'where KMS clients reach it (default: 8470, or any where --port is 0)',
    },
    'status-port': {
      type: 'string',
      value: 'PORT',
      description: "where its parent's status page is (default: 9464, or any where --port is 0)",
    },
  },
  examples: [
    'holdfast local up',
    'holdfast local up --state /tmp/holdfast --port 9443',
    'holdfast local up --nodes 3 --state /tmp/quorum',
    'holdfast local up --gateway',
  ],
  run: async ({ io, text, flag, json }) => {
    assertClone();
    const port = readPort('port', text('port') ?? '8443');
    const statusPort = readPort('status-port', text('status-port') ?? (port === 0 ? '0' : '9464'));
    const size = readSize(text('nodes') ?? '1');
    if (port !== 0 && statusPort !== 0 && Math.abs(port - statusPort) < size)
      throw new UsageError(
        `--port and --status-port are different${size === 1 ? '' : `, by ${size} at least`}`,
      );
    if (Math.max(port, statusPort) + size - 1 > MAX_PORT)
      throw new UsageError(`--port and --status-port leave room for ${size} up to ${MAX_PORT}`);
    const stateDirectory = text('state') ?? '.holdfast';
    // An empty path would mean the working directory.
    if (stateDirectory === '') throw new UsageError('--state is a folder');
    const gatewayText = text('gateway-port');
    if (gatewayText !== undefined && !flag('gateway'))
      throw new UsageError('--gateway-port goes with --gateway');
    const gatewayPort = readPort('gateway-port', gatewayText ?? (port === 0 ? '0' : '8470'));
    const gateway = flag('gateway')
      ? { port: gatewayPort, holdfast: [process.execPath, COMMAND] as const }
      : undefined;
    return await localUp({ stateDirectory, size, port, statusPort, gateway, json, io });
  },
};

function readSize(value: string): number {
  const size = /^[1-9]$/.test(value) ? Number(value) : Number.NaN;
  if (!(size <= MAX_LOCAL_NODES)) throw new UsageError(`--nodes is a number from 1 to ${MAX_LOCAL_NODES}`);
  return size;
}

function readPort(option: string, value: string): number {
  const port = /^[0-9]{1,5}$/.test(value) ? Number(value) : Number.NaN;
  if (!(port <= MAX_PORT)) throw new UsageError(`--${option} is a number up to ${MAX_PORT}`);
  return port;
}

export const commands: readonly Command[] = [demo, up];
