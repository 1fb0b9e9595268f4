/**
 * Attestation documents a second of processor time on one core, in one run and in turn: ours with nothing kept and
 * with the certificates kept, against what the signatures alone cost (`openssl speed ecdsap384`: five verifications,
 * or one) and against two peers, evervault-attestation-bindings (native) and @evervault/wasm-attestation-bindings, on
 * the same genuine document.
 *
 * The peers verify at the time of the clock, and the document is of 2023: they run under faketime(1).
 *
 * node bench/attestation.ts [--seconds N] [--rounds N] [--peers DIR]
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { unsafeParseAttestationDocument } from '../attestation/index.ts';

const PEERS = {
  'evervault-attestation-bindings': '0.3.2',
  '@evervault/wasm-attestation-bindings': '0.3.1',
};
const DOCUMENTS = fileURLToPath(new URL('../../shared/attestation-documents/', import.meta.url));
const CONTENDER = fileURLToPath(new URL('attestation/contender.ts', import.meta.url));

/** Targets of each contender, as a part of the floor or a multiple of the peer. */
const TARGETS = { ofFloor: 0.95, ofFloorOfOne: 0.9, ofPeer: 5.5 };

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '7' },
    peers: { type: 'string' },
  },
});

interface Contender {
  readonly name: string;
  /** Runs one round; returns documents a second. */
  readonly run: () => number;
  readonly rates: number[];
}

/** Runs a command on the last core, where other work of the machine disturbs it least. */
function onOneCore(command: string, args: readonly string[], env: Record<string, string> = {}): string {
  const core = String(availableParallelism() - 1);
  const { status, stdout, stderr } = spawnSync('taskset', ['-c', core, command, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: exit ${status}\n${stderr.slice(0, 2000)}`);
  return stdout;
}

/** Verifications a second of P-384 by the openssl command. */
function opensslRate(): number {
  const output = onOneCore('openssl', ['speed', '-seconds', values.seconds, 'ecdsap384']);
  const rate = Number(/ecdsa \(nistp384\).*\s([\d.]+)\s*$/m.exec(output)?.[1]);
  if (!(rate > 0)) throw new Error(`expected a rate from openssl speed, found:\n${output}`);
  return rate;
}

function contenderRate(name: string, env: Record<string, string> = {}, time?: string): number {
  const command = [process.execPath, CONTENDER, name, DOCUMENTS, values.seconds];
  // faketime changes the time of day alone: the stop-watch goes on.
  const faked = time === undefined ? command : ['faketime', '-f', `@${time}`, ...command];
  const [program = '', ...args] = faked;
  const rate = Number(onOneCore(program, args, { FAKETIME_DONT_FAKE_MONOTONIC: '1', TZ: 'UTC', ...env }));
  if (!(rate > 0)) throw new Error(`${name} printed no rate`);
  return rate;
}

function installPeers(folder: string): void {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies: PEERS }));
  const { status, stderr } = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], {
    cwd: folder,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the peers could not be installed: ${stderr}`);
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** Median of the rounds' own ratios: a slow minute of the machine slows both sides of a round. */
function ratio(left: Contender, right: Contender, factor = 1): number {
  return median(left.rates.map((rate, round) => rate / ((right.rates[round] ?? 0) * factor)));
}

function main(folder: string): void {
  const genuine = join(DOCUMENTS, 'evervault-ga.b64');
  if (!existsSync(genuine)) {
    console.log(`skipped: no ${genuine}`);
    return;
  }
  const hasFaketime = spawnSync('faketime', ['--version']).status === 0;
  if (hasFaketime && values.peers === undefined) installPeers(folder);
  if (!hasFaketime) console.log('without the peers, who need faketime(1): apt-get install faketime');
  const env = { PEERS: values.peers ?? folder };
  const contender = (name: string, run: () => number): Contender => ({ name, run, rates: [] });
  const floor = contender('openssl speed, verifications', opensslRate);
  const own = contender('node:crypto, verifications', () => contenderRate('signatures'));
  const cold = contender('ours, nothing kept', () => contenderRate('cold'));
  const cached = contender('ours, certificates kept', () => contenderRate('cached'));
  const time = documentTime();
  const native = contender('evervault-attestation-bindings', () => contenderRate('native', env, time));
  const wasm = contender('@evervault/wasm-attestation-bindings', () => contenderRate('wasm', env, time));
  const contenders = [floor, own, cold, cached, ...(hasFaketime ? [native, wasm] : [])];
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const each of contenders) each.rates.push(each.run());
  }
  console.log(
    `${cpus()[0]?.model ?? 'unknown processor'}, one core, node ${process.version}, OpenSSL ${process.versions.openssl}`,
  );
  console.log(onOneCore('openssl', ['version']).trim());
  console.log(
    `${values.rounds} rounds of ${values.seconds} s each; median of the rounds, slowest to fastest\n`,
  );
  for (const { name, rates } of contenders) {
    const range = `${Math.min(...rates).toFixed(0)} to ${Math.max(...rates).toFixed(0)}`;
    console.log(`  ${name.padEnd(38)} ${median(rates).toFixed(0).padStart(6)} a second  (${range})`);
  }
  const rows: [string, number, number | undefined][] = [
    ['nothing kept, of the openssl floor (5 verifications)', ratio(cold, floor, 1 / 5), TARGETS.ofFloor],
    ['certificates kept, of the openssl floor (1 verification)', ratio(cached, floor), TARGETS.ofFloorOfOne],
    ['nothing kept, of the floor of node:crypto', ratio(cold, own, 1 / 5), undefined],
    ['certificates kept, of the floor of node:crypto', ratio(cached, own), undefined],
  ];
  if (hasFaketime) {
    rows.push(
      ['nothing kept, times the native peer', ratio(cold, native), undefined],
      ['certificates kept, times the native peer', ratio(cached, native), TARGETS.ofPeer],
      ['certificates kept, times the wasm peer', ratio(cached, wasm), undefined],
    );
  }
  console.log('');
  for (const [name, value, target] of rows) {
    const mark =
      target === undefined ? '' : value >= target ? `  ok, aim ${target}` : `  MISSED, aim ${target}`;
    console.log(`  ${name.padEnd(58)} ${value.toFixed(2).padStart(6)}${mark}`);
    if (target !== undefined && value < target) process.exitCode = 1;
  }
}

/** Time at which the document was signed, as faketime takes it. */
function documentTime(): string {
  const document = Buffer.from(readFileSync(join(DOCUMENTS, 'evervault-ga.b64'), 'latin1'), 'base64');
  const { timestamp } = unsafeParseAttestationDocument(document).payload;
  return new Date(timestamp + 60_000).toISOString().slice(0, 19).replace('T', ' ');
}

const folder = mkdtempSync(join(tmpdir(), 'attestation-peers-'));
try {
  main(folder);
} finally {
  rmSync(folder, { recursive: true });
}
