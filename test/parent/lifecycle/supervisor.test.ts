import { chmodSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EnclaveError } from '../../../parent/lifecycle/errors.ts';
import { createNitroCli, type NitroCli } from '../../../parent/lifecycle/nitro-cli.ts';
import { decideRestart } from '../../../parent/lifecycle/restart-decision.ts';
import {
  startSupervisor,
  type Supervisor,
  type SupervisorOptions,
} from '../../../parent/lifecycle/supervisor.ts';
import { silentLog, type LogFields } from '../../../parent/common/log.ts';
import { steadyClock, type NodeStatus } from '../../../parent/status/node-status.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const FAKE = join(import.meta.dirname, 'fake-nitro-cli.mjs');
const PCRS = { PCR0: 'aa'.repeat(48), PCR1: 'bb'.repeat(48), PCR2: 'cc'.repeat(48) };
const MEASUREMENTS = new Map([
  [0, 'aa'.repeat(48)],
  [1, 'bb'.repeat(48)],
  [2, 'cc'.repeat(48)],
]);
const SPEC = { image: '/var/lib/holdfast/enclave.eif', cid: 16, cpus: 2, memoryMiB: 1024, debug: false };

interface FakeState {
  enclaves: { EnclaveID: string; EnclaveCID: number; State: string; Flags: string; Measurements: object }[];
  measurements?: object;
  fail?: Record<string, [string, string]>;
  garbage?: boolean;
  console?: string[];
}

let directory: string;
let statePath: string;
let nitro: NitroCli;
let supervisor: Supervisor | undefined;

beforeEach(() => {
  directory = temporaryFolder();
  statePath = join(directory, 'state.json');
  // The program's own environment stays as it is: a script names the state.
  const program = join(directory, 'nitro-cli');
  writeFileSync(
    program,
    `#!/bin/sh\nFAKE_NITRO_STATE='${statePath}' exec '${process.execPath}' '${FAKE}' "$@"\n`,
  );
  chmodSync(program, 0o755);
  nitro = createNitroCli(program);
  write({ enclaves: [], measurements: PCRS });
});
afterEach(async () => {
  await supervisor?.stop({ terminate: false });
  supervisor = undefined;
});

function read(): FakeState {
  return JSON.parse(readFileSync(statePath, 'utf8')) as FakeState;
}
function write(state: FakeState): void {
  writeFileSync(`${statePath}.mine`, JSON.stringify(state));
  renameSync(`${statePath}.mine`, statePath);
}
function calls(): string[][] {
  const lines = readFileSync(`${statePath}.calls`, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as string[]);
}
const commands = () => calls().map(([command]) => command);

describe('nitro-cli', () => {
  test('starts, describes and terminates an enclave', async () => {
    expect(await nitro.describe()).toEqual([]);
    const id = await nitro.run(SPEC);
    expect(id).toBe('i-05f6ed443ae43fe45-enc173dfe3eb99d811');
    expect(await nitro.describe()).toEqual([
      { id, cid: 16, isRunning: true, isDebug: false, measurements: MEASUREMENTS },
    ]);
    await nitro.terminate(id);
    expect(await nitro.describe()).toEqual([]);
    expect(calls()[1]).toEqual([
      'run-enclave',
      '--eif-path',
      '/var/lib/holdfast/enclave.eif',
      '--enclave-cid',
      '16',
      '--cpu-count',
      '2',
      '--memory',
      '1024',
    ]);
  });

  test('refuses with a code of its own', async () => {
    write({ ...read(), fail: { 'run-enclave': ['E27', 'Insufficient memory available.'] } });
    await expect(nitro.run(SPEC)).rejects.toMatchObject({
      name: 'EnclaveError',
      code: 'NITRO_CLI_REFUSED',
      details: { nitro: 'E27' },
    });
  });

  test('fails when it prints something else, or is not there', async () => {
    write({ ...read(), garbage: true });
    await expect(nitro.describe()).rejects.toMatchObject({ code: 'NITRO_CLI_FAILED' });
    await expect(createNitroCli(join(directory, 'none')).describe()).rejects.toMatchObject({
      code: 'NITRO_CLI_MISSING',
    });
  });

  test('gets its arguments as they are, without a shell', async () => {
    const image = '/tmp/$(touch pwned); `touch pwned` && x.eif';
    await nitro.run({ ...SPEC, image });
    expect(calls()[0]).toContain(image);
  });
});

describe('what follows the end of an enclave', () => {
  test('is another start after a wait that doubles up to five minutes', () => {
    const waits = [1, 2, 3, 9, 10, 60].map((count) => decideRestart({ type: 'vanished' }, count));
    expect(waits).toEqual(
      [1_000, 2_000, 4_000, 256_000, 300_000, 300_000].map((afterMs) => ({ action: 'restart', afterMs })),
    );
  });

  test.each([
    'KMS_UNREACHABLE',
    'CONTROL_UNAVAILABLE',
    'CONTROL_TIMEOUT',
    'CONTROL_COMMIT_UNRESOLVED',
    'STORE_UNCERTAIN',
    'INIT_HEARTBEAT',
    'EGRESS_DNS_FAILED',
  ])('is another start where %s may pass by itself', (code) => {
    expect(decideRestart({ type: 'failed', code }, 1).action).toBe('restart');
  });

  test.each([
    'KMS_ACCESS_DENIED',
    'CONFIGURATION_ROLLED_BACK',
    'STORE_RECORD_ALTERED',
    'STORE_TAKEN',
    'STORE_FULL',
    'STORE_FORMAT_UNKNOWN',
    'DEBUG_ENCLAVE',
    'INIT_ENTROPY',
    'INIT_MEMORY',
    'ANYTHING_NEW',
  ])('is a halt where %s would come again', (code) => {
    expect(decideRestart({ type: 'failed', code }, 1)).toEqual({ action: 'halt', code });
  });

  test('is a halt where nitro-cli would refuse again', () => {
    expect(decideRestart({ type: 'not-started', code: 'NITRO_E26' }, 1)).toEqual({
      action: 'halt',
      code: 'NITRO_E26',
    });
    for (const code of ['NITRO_E27', 'NITRO_CLI_FAILED', 'NITRO_CLI_MISSING'] as const) {
      expect(decideRestart({ type: 'not-started', code }, 1).action).toBe('restart');
    }
  });
});

describe('the supervisor', () => {
  let status: NodeStatus | null;
  let ends: number;
  const said = (phase: NodeStatus['phase'], code: string | null = null, ago = 0): NodeStatus => {
    const at = steadyClock() - ago;
    return { phase, code, since: at, heardAt: at };
  };
  function start(
    checkImage = () => Promise.resolve(MEASUREMENTS),
    options: Partial<SupervisorOptions> = {},
  ): Supervisor {
    status = null;
    ends = 0;
    supervisor = startSupervisor({
      nitro,
      spec: SPEC,
      checkImage,
      node: () => status,
      onEnd: () => {
        ends += 1;
      },
      log: silentLog,
      pollMs: 20,
      // Fifty times as fast.
      sleep: (ms, signal) => sleep(ms / 50, undefined, { signal, ref: false }),
      ...options,
    });
    return supervisor;
  }
  async function isIn(state: string): Promise<void> {
    await expect.poll(() => supervisor?.current.state).toBe(state);
  }
  /** Waits until an enclave is watched, which may be silent before anybody has seen that it runs. */
  async function isWatched(): Promise<void> {
    await expect.poll(() => supervisor?.current.state).toMatch(/^(?:running|silent)$/);
  }

  test('starts the enclave, and terminates it in the end', async () => {
    const running = start();
    await isIn('running');
    expect(running.starts).toBe(1);
    await running.stop({ terminate: true });
    expect(read().enclaves).toEqual([]);
    expect(running.current).toEqual({ state: 'stopped' });
  });

  test('leaves the enclave running when it stops, and finds it again', async () => {
    const first = start();
    await isIn('running');
    await first.stop({ terminate: false });
    const second = start();
    await isIn('running');
    expect(second.starts).toBe(0);
    expect(commands().filter((command) => command === 'run-enclave')).toHaveLength(1);
  });

  test('starts an enclave again that has vanished', async () => {
    const running = start();
    await isIn('running');
    write({ ...read(), enclaves: [] });
    await expect.poll(() => running.starts).toBe(2);
    await isIn('running');
    expect(ends).toBe(1);
  });

  test('does not start one again whose code says that it would fail again', async () => {
    const running = start();
    await isIn('running');
    status = said('failed', 'KMS_ACCESS_DENIED');
    write({ ...read(), enclaves: [] });
    await isIn('halted');
    expect(running.current).toEqual({ state: 'halted', code: 'KMS_ACCESS_DENIED' });
    expect(running.starts).toBe(1);
  });

  test('does not take the code of an earlier life for this one’s', async () => {
    const running = start();
    status = said('failed', 'KMS_ACCESS_DENIED', 60_000);
    await isIn('running');
    write({ ...read(), enclaves: [] });
    await expect.poll(() => running.starts).toBe(2);
  });

  test('goes by what init said of its end while nitro-cli still waited for its heartbeat', async () => {
    const failing: NitroCli = {
      ...nitro,
      run: () => {
        status = said('failed', 'INIT_ENTROPY');
        return Promise.reject(new EnclaveError('NITRO_CLI_REFUSED', 'no heartbeat', { nitro: 'E36' }));
      },
    };
    const running = start(undefined, { nitro: failing });
    await isIn('halted');
    expect(running.current).toEqual({ state: 'halted', code: 'INIT_ENTROPY' });
  });

  test('shows an enclave that runs and has not said a word, and leaves it alone', async () => {
    const running = start(undefined, { silentAfterMs: 100 });
    await isIn('silent');
    status = said('starting');
    await isIn('running');
    expect(running.starts).toBe(1);
    expect(commands()).not.toContain('terminate-enclave');
  });

  test('shows an enclave that has served and says so no longer, until it does', async () => {
    const running = start(undefined, { silentAfterMs: 100 });
    await isWatched();
    status = said('serving');
    await expect.poll(() => running.current).toMatchObject({ state: 'silent', since: status.heardAt });
    const speaking = setInterval(() => (status = said('serving')), 10);
    await isIn('running');
    clearInterval(speaking);
  });

  test('does not take a phase of the start, which is silent, for silence', async () => {
    start(undefined, { silentAfterMs: 100 });
    await isWatched();
    status = said('unlocking');
    await isIn('running');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(supervisor?.current.state).toBe('running');
  });

  test('terminates one that is silent and starts it again, where it is told to', async () => {
    const running = start(undefined, { silentAfterMs: 100, restartWhenSilent: true });
    await expect.poll(() => running.starts).toBeGreaterThan(1);
    expect(commands()).toContain('terminate-enclave');
    expect(read().enclaves.length).toBeLessThanOrEqual(1);
    expect(ends).toBeGreaterThan(0);
  });

  test('follows the console of an enclave in debug mode, which may write what it likes', async () => {
    const noise = [
      'boot \u001b[31mred\u001b[0m {"level":"error"}',
      `long ${'x'.repeat(2_000)}`,
      ...Array.from({ length: 300 }, (_, index) => `line ${index}`),
    ];
    write({ ...read(), console: noise });
    const logged: (LogFields & { event: string })[] = [];
    const running = start(undefined, {
      spec: { ...SPEC, debug: true },
      log: (_level, event, fields) => logged.push({ event, ...fields }),
    });
    await isIn('running');
    expect(calls().find(([command]) => command === 'run-enclave')).toContain('--debug-mode');
    await expect.poll(() => logged.some(({ event }) => event === 'enclave.console-dropped')).toBe(true);
    const lines = logged.filter(({ event }) => event === 'enclave.console').map((one) => one['untrusted']);
    expect(lines.length).toBeLessThanOrEqual(200);
    expect(lines[0]).toBe('boot [31mred[0m {"level":"error"}');
    expect(lines[1]).toHaveLength(512);
    await running.stop({ terminate: true });
    expect(logged.some(({ event }) => event === 'enclave.console-ended')).toBe(true);
  });

  test('looks at no console of an enclave that is in earnest', async () => {
    start();
    await isIn('running');
    expect(commands()).not.toContain('console');
    expect(calls().flat()).not.toContain('--debug-mode');
  });

  test('starts nothing that pcr.json does not name', async () => {
    const running = start(() => Promise.reject(new EnclaveError('ENCLAVE_IMAGE_UNEXPECTED', 'other image')));
    await isIn('halted');
    expect(running.current).toEqual({ state: 'halted', code: 'ENCLAVE_IMAGE_UNEXPECTED' });
    await running.stop({ terminate: true });
    expect(running.current.state).toBe('halted');
  });

  test.each([
    ['another image', { ...PCRS, PCR0: 'dd'.repeat(48) }, 'NONE'],
    ['no measurements', {}, 'NONE'],
    ['debug mode', PCRS, 'DEBUG_MODE'],
  ])('leaves an enclave on its CID alone that has %s', async (_name, measurements, flags) => {
    write({ ...read(), measurements });
    await nitro.run(SPEC);
    const state = read();
    for (const enclave of state.enclaves) enclave.Flags = flags;
    write(state);
    const running = start();
    await isIn('halted');
    expect(running.current).toEqual({ state: 'halted', code: 'ENCLAVE_FOREIGN' });
    expect(read().enclaves).toHaveLength(1);
  });

  test('waits and tries again while nitro-cli cannot', async () => {
    write({ ...read(), fail: { 'run-enclave': ['E27', 'Insufficient memory available.'] } });
    const running = start();
    await expect.poll(() => running.starts).toBeGreaterThan(2);
    const { fail: _fail, ...state } = read();
    write(state);
    await isIn('running');
  });

  test.each(['E19', 'E27', 'E29', 'E36', 'E39'])('says %s of nitro-cli’s in state and log', async (code) => {
    write({ ...read(), fail: { 'run-enclave': [code, 'It says something.'] } });
    const ended: { readonly fields: LogFields; readonly state: unknown }[] = [];
    start(undefined, {
      log: (_level, event, fields = {}) => {
        if (event === 'enclave.ended') ended.push({ fields, state: supervisor?.current });
      },
    });
    await expect.poll(() => ended.length).toBeGreaterThanOrEqual(3);
    expect(ended.slice(0, 3)).toMatchObject(
      [1, 2, 3].map((count) => ({
        fields: { code: `NITRO_${code}`, endsInARow: count, see: '/var/log/nitro_enclaves' },
        state: { state: 'waiting', code: `NITRO_${code}`, endsInARow: count },
      })),
    );
  });

  test.each([
    ['is not there', () => createNitroCli(join(directory, 'none')), 'NITRO_CLI_MISSING'],
    ['may not be run', () => createNitroCli(directory), 'NITRO_CLI_FAILED'],
    [
      'prints something else',
      () => {
        write({ ...read(), garbage: true });
        return nitro;
      },
      'NITRO_CLI_FAILED',
    ],
  ])('says that nitro-cli %s', async (_name, create, code) => {
    const running = start(undefined, { nitro: create() });
    await expect.poll(() => running.current).toMatchObject({ state: 'waiting', code });
  });

  test('waits for a person where nitro-cli will not', async () => {
    write({ ...read(), fail: { 'run-enclave': ['E22', 'Insufficient CPUs available.'] } });
    start();
    await isIn('halted');
    expect(supervisor?.current).toEqual({ state: 'halted', code: 'NITRO_E22' });
  });
});
