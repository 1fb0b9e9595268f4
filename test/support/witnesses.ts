import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { findLogPeerPrograms } from '../../local/testbed/log-peers.ts';
import { freePort } from './free-ports.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Milliseconds within which a witness must listen. */
const START_MS = 90_000;
/** SHA-256 of nothing, in base64: the root of an empty tree. */
const EMPTY_ROOT = '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=';
/** DER before the 32 bytes of an Ed25519 public key in OpenSSH's file: a length, the name, a length. */
const SSH_PUBLIC_KEY_PREFIX = 19;

/** Log that a witness is to follow. */
export interface WitnessedLog {
  readonly origin: string;
  /** Its verifier key, of type ed25519. */
  readonly vkey: string;
}

/** A program of others that cosigns checkpoints, on loopback. */
export interface RunningWitness extends AsyncDisposable {
  readonly program: 'litewitness' | 'omniwitness' | 'clock';
  /** Verifier keys that it signs with. */
  readonly vkeys: readonly string[];
  /** Prefix without a slash at its end; POST to `${url}/add-checkpoint`. */
  readonly url: string;
  /** Ends the process as a power cut would, and starts it again with what it had stored, on the same port. */
  restart(): Promise<void>;
  /** Ends the process, by its id. */
  stop(): Promise<void>;
}

/** A witness whose clock a test sets. It forgets all it has signed when it ends: restart() makes it forget. */
export interface ClockWitness extends RunningWitness {
  /** Sets the time that it signs, in seconds; -1 for the real one. */
  setClock(seconds: number): Promise<void>;
}

/**
 * Finds the folder of the witness programs and of log-peers; undefined, said loudly, where scripts/log-peers.sh has made
 * none, or there is no ssh-agent for litewitness.
 */
export function findLogPeers(untested: string): string | undefined {
  const folder = findLogPeerPrograms();
  const hasAgent = spawnSync('ssh-keygen', ['-?']).error === undefined;
  if (folder !== undefined && hasAgent) return folder;
  const why = folder !== undefined ? 'there is no ssh-agent' : 'scripts/log-peers.sh has made no programs';
  process.stderr.write(`\nSKIPPED: ${untested}: ${why}\n\n`);
  return undefined;
}

/** Starts litewitness, whose key lies in an ssh-agent of its own. It knows Ed25519 alone. */
export async function startLitewitness(
  peers: string,
  log: WitnessedLog,
  name = 'witness.example/lite',
): Promise<RunningWitness> {
  const folder = temporaryFolder();
  const [keyFile, socket, database] = ['key', 'agent', 'w.db'].map((file) => join(folder, file)) as [
    string,
    string,
    string,
  ];
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', keyFile]);
  const agent = track(spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' }));
  await waitFor(() => Promise.resolve(existsSync(socket)), 'ssh-agent');
  // The socket is there a moment before the agent listens at it.
  const options = { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'ignore' } as const;
  const addKey = () => spawnSync('ssh-add', ['-q', keyFile], options).status === 0;
  await waitFor(() => Promise.resolve(addKey()), 'ssh-add');
  const [, fingerprint = ''] = execFileSync('ssh-keygen', ['-lf', `${keyFile}.pub`], {
    encoding: 'utf8',
  }).split(' ');
  const [, encoded = ''] = readFileSync(`${keyFile}.pub`, 'utf8').split(' ');
  const publicKey = Buffer.from(encoded, 'base64').subarray(SSH_PUBLIC_KEY_PREFIX);
  createLitewitnessDatabase(database, log);
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const args = [
    '-name',
    name,
    '-db',
    database,
    '-ssh-agent',
    socket,
    '-listen',
    address,
    '-key',
    fingerprint,
  ];
  return runWitness(
    'litewitness',
    join(peers, 'litewitness'),
    args,
    port,
    [vkeyOf(name, 0x04, publicKey)],
    agent,
  );
}

/** The rows that its own tool, witnessctl, would write. */
function createLitewitnessDatabase(path: string, { origin, vkey }: WitnessedLog): void {
  const database = new DatabaseSync(path);
  database.exec(
    'CREATE TABLE log (origin TEXT PRIMARY KEY, tree_size INTEGER NOT NULL, tree_hash TEXT NOT NULL);' +
      'CREATE TABLE key (origin TEXT NOT NULL, key TEXT NOT NULL)',
  );
  database.prepare('INSERT INTO log VALUES (?, 0, ?)').run(origin, EMPTY_ROOT);
  database.prepare('INSERT INTO key VALUES (?, ?)').run(origin, vkey);
  database.close();
}

/**
 * Starts omniwitness over SQLite with an Ed25519 key, or with one of ML-DSA-44 as well: it gives a line for each key then.
 */
export async function startOmniwitness(
  peers: string,
  log: WitnessedLog,
  { name = 'witness.example/omni', mlDsa = false } = {},
): Promise<RunningWitness> {
  const folder = temporaryFolder();
  const keys = [
    noteKeyOf(name, 0x04, `${folder} ed25519`),
    ...(mlDsa ? [noteKeyOf(name, 0x06, folder)] : []),
  ];
  const keyArgs = keys.flatMap(({ signingKey }, index) => {
    const file = join(folder, `key-${index}`);
    writeFileSync(file, signingKey, { mode: 0o600 });
    return ['--private_key_path', file];
  });
  const logs = join(folder, 'logs.yaml');
  writeFileSync(
    logs,
    `Logs:\n  - Origin: ${log.origin}\n    URL: http://127.0.0.1:1/\n    PublicKey: ${log.vkey}\n    Feeder: none\n`,
  );
  const port = await freePort();
  const args = ['--logtostderr', '--listen', `127.0.0.1:${port}`, '--metrics_listen', '', ...keyArgs];
  args.push('--db_file', join(folder, 'w.db'), '--additional_logs', logs);
  const vkeys = keys.map(({ vkey }) => vkey);
  return runWitness('omniwitness', join(peers, 'omniwitness'), args, port, vkeys);
}

/** Starts transparency-dev's witness library with a clock that the test sets (test/audit/log/peers/witness.go). */
export async function startClockWitness(
  peers: string,
  log: WitnessedLog,
  name = 'witness.example/clock',
): Promise<ClockWitness> {
  const port = await freePort();
  const args = ['witness', '-listen', `127.0.0.1:${port}`, '-name', name, '-seed', name];
  args.push('-origin', log.origin, '-log', log.vkey);
  const { vkey } = noteKeyOf(name, 0x04, name);
  const witness = await runWitness('clock', join(peers, 'log-peers'), args, port, [vkey]);
  return {
    ...witness,
    async setClock(seconds) {
      const response = await fetch(`${witness.url}/clock?seconds=${seconds}`, { method: 'POST' });
      if (!response.ok) throw new Error(`the clock was not set: ${response.status}`);
    },
  };
}

/** Processes to end with this one, should a test not come to its own end. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

function track(child: ChildProcess): ChildProcess {
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

async function runWitness(
  program: RunningWitness['program'],
  path: string,
  args: readonly string[],
  port: number,
  vkeys: readonly string[],
  helper?: ChildProcess,
): Promise<RunningWitness> {
  let child: ChildProcess | undefined;
  const start = async () => {
    const log: string[] = [];
    child = track(spawn(path, args, { stdio: ['ignore', 'ignore', 'pipe'] }));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => log.push(text));
    try {
      await waitFor(() => isListening(port), program);
    } catch (error) {
      throw new Error(`${program} did not start: ${log.join('').slice(-500)}`, { cause: error });
    }
  };
  const stop = async () => {
    await end(child);
    await end(helper);
  };
  await start();
  return {
    program,
    vkeys,
    url: `http://127.0.0.1:${port}`,
    async restart() {
      await end(child);
      await start();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await exited;
}

/** Key in the forms of x/mod's sumdb/note, from a text whose hash is its seed: ML-DSA-44's public key comes from Node. */
function noteKeyOf(name: string, type: 0x04 | 0x06, text: string): { signingKey: string; vkey: string } {
  const seed = createHash('sha256').update(text).digest();
  const vkey = vkeyOf(name, type, publicKeyOf(type, seed));
  const [, id] = vkey.split('+');
  const encoded = Buffer.concat([Buffer.of(type), seed]).toString('base64');
  return { signingKey: `PRIVATE+KEY+${name}+${id}+${encoded}`, vkey };
}

function publicKeyOf(type: 0x04 | 0x06, seed: Buffer): Buffer {
  const asymmetricKeyType = type === 0x04 ? 'ed25519' : 'ml-dsa-44';
  const format = type === 0x04 ? 'raw-private' : 'raw-seed';
  return createPublicKey(createPrivateKey({ key: seed, format, asymmetricKeyType })).export({
    format: 'raw-public',
  });
}

/** Not made by audit/log, which the witnesses judge. */
function vkeyOf(name: string, type: number, publicKey: Buffer): string {
  const key = Buffer.concat([Buffer.of(type), publicKey]);
  const id = createHash('sha256').update(`${name}\n`).update(key).digest('hex').slice(0, 8);
  return `${name}+${id}+${key.toString('base64')}`;
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (open: boolean) => () => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', answer(true)).once('error', answer(false));
  });
}

async function waitFor(isReady: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + START_MS;
  while (!(await isReady())) {
    if (Date.now() > deadline) throw new Error(`${what} was not ready in time`);
    await sleep(20);
  }
}
