import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs, styleText } from 'node:util';
import { LifeHost, type LifeReport } from '../test/emulated/harness/life-host.ts';
import { findEmulator } from '../test/emulated/harness/emulator.ts';
import { LIFE_PARTS, LIFE_STEPS, TOO_SLOW } from '../test/emulated/programs/life-steps.ts';
import { ROOT } from './image/inputs.ts';

const USAGE = `Shows one policy node in a real enclave image, on an emulated Nitro host with a real NSM device and AF_VSOCK.

Usage: make demo-enclave              builds what is missing first: some minutes on a fresh machine
       node scripts/demo-enclave.ts   where that was done before

It builds four images, boots a guest that plays the parent (the real daemon, a KMS stand-in, a client) and an enclave for
each start, and prints what happens as it happens. Ctrl-C ends it and every machine that it has started.

Exit 0: all came out as it must. 1: something did not. 2: usage. 130: interrupted.
`;
/** Words for a node's phases. */
const PHASES: Readonly<Record<string, string>> = {
  starting: 'Node runs, the NSM has answered',
  measuring: 'the manifest goes into PCR16, which is locked',
  configuring: 'the configuration: its signatures are verified',
  unlocking: 'the NSM attests a fresh key, and KMS is asked for the password',
  opening: 'the sealed store is opened',
  serving: 'it serves',
};

const out = process.stdout;
const startedAt = performance.now();
const paint = (style: Parameters<typeof styleText>[0], text: string) =>
  styleText(style, text, { stream: out });
const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('hex');

function heading(text: string): void {
  out.write(`\n${paint('bold', text)}\n`);
}

/** Prints an event on the way to the next step. */
function note(text: string): void {
  out.write(`${paint('dim', `      ${seconds(performance.now() - startedAt).padStart(8)}  ${text}`)}\n`);
}

/** Describes a report in plain words; undefined for a report that only tests read. */
function describe(report: LifeReport): string | undefined {
  const text = (name: string) => String(report[name]);
  switch (report['report']) {
    case 'launch':
      return `enclave ${text('cid')} is switched on, with the image "${text('image')}"`;
    case 'retry':
      return `RETRIED: the emulator hung while enclave ${text('cid')} booted`;
    case 'heartbeat':
      return 'its heartbeat arrives: init has the NSM and the vsock';
    case 'killed':
      return 'the parent is killed (SIGKILL)';
    case 'decision':
      return text('action') === 'kms:PutKeyPolicy'
        ? "the node's admin puts a key policy"
        : `KMS decides: ${text('action')} ${text('decision') === 'allow' ? 'allowed' : 'denied'}`;
    case 'parent':
      return describeParent(report);
    default:
      return undefined;
  }
}

function describeParent({ event, phase, code, reason, exitCode, signal }: LifeReport): string | undefined {
  if (event === 'parent.started') return 'the parent runs';
  if (event === 'node.exit')
    return `init's last word: ${String(reason)}, exit ${String(exitCode)}, signal ${String(signal)}`;
  if (event !== 'node.status') return undefined;
  return phase === 'failed' ? `it refuses to start: ${String(code)}` : PHASES[String(phase)];
}

class Show {
  readonly #steps = Object.entries(LIFE_STEPS);
  readonly #results: { readonly part: string; readonly ok: boolean; readonly ms: number }[] = [];
  #part: string | undefined;

  report(report: LifeReport): void {
    const text = describe(report);
    const [next] = this.#steps.slice(this.#results.length);
    if (next === undefined) return;
    const [id, step] = next;
    if (text === undefined && report['report'] !== 'step') return;
    if (this.#part !== step.part) heading(step.part);
    this.#part = step.part;
    if (text !== undefined) {
      note(text);
      return;
    }
    const isSkipped = report['outcome'] === TOO_SLOW;
    const ok = isSkipped || (report['id'] === id && report['outcome'] === step.outcome);
    const ms = Number(report['ms']);
    this.#results.push({ part: step.part, ok, ms });
    const mark = isSkipped ? paint('yellow', '--') : ok ? paint('green', 'ok') : paint('red', 'NO');
    const outcome = paint('cyan', String(report['outcome']));
    out.write(`  ${mark}  ${step.title}\n      ${outcome} ${paint('dim', seconds(ms))}\n`);
  }

  /** Prints the table at the end; returns whether all steps came out as they must. */
  finish(): boolean {
    out.write(`\n${''.padEnd(20)} ${'as due'.padStart(7)} ${'time'.padStart(9)}\n`);
    for (const part of LIFE_PARTS) {
      const wanted = this.#steps.filter(([, step]) => step.part === part).length;
      const own = this.#results.filter((result) => result.part === part);
      const asDue = `${own.filter(({ ok }) => ok).length}/${wanted}`;
      const time = seconds(own.reduce((sum, { ms }) => sum + ms, 0));
      out.write(`${part.padEnd(20)} ${asDue.padStart(7)} ${time.padStart(9)}\n`);
    }
    const ok = this.#results.length === this.#steps.length && this.#results.every((result) => result.ok);
    out.write(`${ok ? 'All as it must be.' : 'NOT as it must be.'}\n`);
    return ok;
  }
}

/** Rejects at the first signal that asks for an end. */
function untilSignal(): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => reject(new Interrupted()));
  return promise;
}
class Interrupted extends Error {}

async function play(host: LifeHost): Promise<boolean> {
  heading('Images');
  note('init and the addon are compiled, Node is packed: a minute or two where that was not done before');
  const { measurements } = await host.build();
  for (const [image, pcrs] of measurements) {
    out.write(`  ok  ${image.padEnd(12)} PCR0 ${paint('cyan', `${hex(pcrs.get(0)).slice(0, 32)}…`)}\n`);
  }
  note('the guest at CID 3 boots: the parent, a KMS stand-in, a client');
  const show = new Show();
  await host.play((report) => show.report(report));
  const ok = show.finish();
  if (!ok) keepConsoles(host);
  return ok;
}

/** Writes the machines' consoles to files, for a reader who looks for the reason of a failure. */
function keepConsoles(host: LifeHost): void {
  const path = join(ROOT, 'build/demo-enclave.log');
  writeFileSync(path, `${host.describeConsoles(Infinity)}\n`);
  process.stderr.write(`what the machines have printed: ${path}\n`);
}

async function run(): Promise<number> {
  try {
    const { values } = parseArgs({ options: { help: { type: 'boolean' } } });
    if (values.help) {
      out.write(USAGE);
      return 0;
    }
  } catch (error) {
    process.stderr.write(`${String(error)}\n\n${USAGE}`);
    return 2;
  }
  const emulator = findEmulator();
  if (emulator === undefined) return 1;
  const host = new LifeHost(emulator);
  try {
    return (await Promise.race([play(host), untilSignal()])) ? 0 : 1;
  } catch (error) {
    if (error instanceof Interrupted) {
      process.stderr.write('\ninterrupted: every machine is switched off\n');
      return 130;
    }
    process.stderr.write(`\n${String(error)}\n`);
    keepConsoles(host);
    return 1;
  } finally {
    await host.close();
  }
}

// A build that was interrupted would hold the process back.
process.exit(await run());
