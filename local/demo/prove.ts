import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { rollBackWholeStore, signBesideClone, type WitnessedScenario } from '../attacks/log-attacks.ts';
import { DECIDED_KEY, SUPPLIER, WEI } from '../testbed/decision-configuration.ts';
import { runCommand } from '../testbed/holdfast-command.ts';
import { askPeers, findLogPeerPrograms } from '../testbed/log-peers.ts';
import { CLIENT } from '../testbed/scenario.ts';
import { type DecidedTransfer, type StoryOptions, trustArgs, type WitnessedNode } from './decide.ts';
import { makeTransfer } from '../testbed/ethereum-transfer.ts';
import { judge, type StepResult } from './steps.ts';

const POLL_MS = 20;
const PUBLISH_MS = 60_000;

const statusSchema = z.object({ auditLog: z.object({ size: z.int(), published: z.int() }) });
const peersSchema = z.object({
  refusals: z.record(z.string(), z.string()),
  size: z.int(),
  entries: z.record(z.string(), z.string()),
});

/** Has receipts and log verified by programs that know no node: files and a URL are all that they are given. */
export async function proveDecisions(
  options: StoryOptions,
  witnessed: WitnessedNode,
  decided: readonly DecidedTransfer[],
): Promise<void> {
  const { step } = options;
  const document = await writeDocument(options, witnessed);
  for (const one of decided) {
    await step('prove', `offline, by the command: the receipt of what was ${one.title}`, () =>
      verifyReceipt(options, witnessed, { ...one, document }),
    );
  }
  await step('prove', 'and a receipt in which one word was changed', async () => {
    const [first] = decided;
    if (first === undefined) throw new RangeError('expected a receipt');
    const altered = { ...first, receipt: alter(first.receipt), document };
    return judge('RECEIPT_SIGNATURE_INVALID', (await verifyReceipt(options, witnessed, altered)).outcome);
  });
  const url = await awaitPublished(witnessed);
  await step('prove', 'by the command: every entry of the log, its root and cosignatures', () =>
    verifyLog(options, witnessed, url),
  );
  await step('prove', 'the same log by programs that are not ours: torchwood’s and tessera’s clients', () =>
    verifyLogByOthers(witnessed, url),
  );
}

async function writeDocument({ directory }: StoryOptions, { client }: WitnessedNode): Promise<string> {
  const path = join(directory, 'node.attestation');
  await writeFile(path, (await client.attest()).documentBytes);
  return path;
}

async function verifyReceipt(
  { scenario, holdfast, directory }: StoryOptions,
  { trust }: WitnessedNode,
  { transfer, receipt, document }: DecidedTransfer & { readonly document: string },
): Promise<StepResult> {
  const paths = { receipt: join(directory, 'receipt.json'), request: join(directory, 'request.json') };
  await writeFile(paths.receipt, JSON.stringify(receipt));
  const request = { operation: 'sign', client: CLIENT, ...transfer.request };
  await writeFile(paths.request, JSON.stringify(request));
  const args = ['receipt', 'verify', paths.receipt, ...trustArgs(trust), '--document', document, '--in-log'];
  args.push('--configuration', scenario.testNode.configurationPath, '--request', paths.request);
  const { exit, said } = await runCommand(holdfast, args, directory);
  if (exit !== 0) return { ok: false, outcome: said.error?.code ?? 'NO WORD' };
  const { entry, consents, inclusion, witnesses } = verifiedSchema.parse(said);
  const people = consents.map(({ approver }) => approver);
  const consent = people.length === 0 ? [] : [`consent of ${people.join(' and ')}`];
  const place = `entry ${inclusion.index} of the log, cosigned by ${witnesses}`;
  return { ok: true, outcome: [`verified: ${entry.predicate.outcome}`, ...consent, place].join('; ') };
}

const verifiedSchema = z.object({
  entry: z.object({ predicate: z.object({ outcome: z.string() }) }),
  consents: z.array(z.object({ approver: z.string() })),
  inclusion: z.object({ index: z.int() }),
  witnesses: z.int(),
});

/** Changes the client's name in the entry that a receipt holds. */
function alter(receipt: unknown): unknown {
  const { envelope, ...rest } = receipt as { envelope: { payload: string } };
  const text = Buffer.from(envelope.payload, 'base64').toString('utf8');
  const payload = Buffer.from(text.replace(`"client":"${CLIENT}"`, '"client":"somebody"')).toString('base64');
  return { ...rest, envelope: { ...envelope, payload } };
}

/** Waits until the parent has written all entries; returns the URL of the log. */
async function awaitPublished({ node }: WitnessedNode): Promise<string> {
  const deadline = Date.now() + PUBLISH_MS;
  for (;;) {
    const response = await fetch(`${node.parent.statusUrl}/status`);
    const { auditLog } = statusSchema.parse(await response.json());
    if (auditLog.published === auditLog.size) return `${node.parent.statusUrl}/log/`;
    if (Date.now() > deadline) throw new Error('expected a log that is published within its time');
    await sleep(POLL_MS);
  }
}

async function verifyLog(
  { holdfast, directory }: StoryOptions,
  { log, witnesses, threshold }: WitnessedNode,
  url: string,
): Promise<StepResult> {
  const args = ['audit', 'verify', url, '--origin', log.origin, '--key', log.key];
  args.push(...witnesses.flatMap(({ key }) => ['--witness', key]), '--threshold', String(threshold));
  const { exit, said } = await runCommand(holdfast, args, directory);
  if (exit !== 0) return { ok: false, outcome: said.error?.code ?? 'NO WORD' };
  const entries = Object.entries(said['entries'] as Record<string, number>);
  return {
    ok: true,
    outcome: `verified: ${entries.map(([type, count]) => `${count} × ${type}`).join(', ')}`,
  };
}

async function verifyLogByOthers({ log }: WitnessedNode, url: string): Promise<StepResult> {
  const programs = findLogPeerPrograms();
  if (programs === undefined) {
    return {
      ok: true,
      outcome: 'NOT DONE: verified by holdfast audit verify alone',
      details: ['scripts/log-peers.sh makes those programs where Go is'],
    };
  }
  const asked = await askPeers(programs, 'log', { url, origin: log.origin, vkey: log.key });
  const { refusals, size, entries } = peersSchema.parse(asked);
  const names = Object.keys(refusals);
  const hashes = new Set(Object.values(entries));
  const ok =
    names.length === 2 && names.every((name) => refusals[name] === '') && hashes.size === 1 && size > 0;
  return { ok, outcome: ok ? `verified by both: ${size} entries` : JSON.stringify(refusals) };
}

/** Rolls the whole store back, and lets a clone have the witnesses: nothing is served, nothing leaves. */
export async function harmWitnessed(
  options: StoryOptions,
  { witnesses }: Pick<WitnessedNode, 'witnesses'>,
): Promise<void> {
  const { scenario, directory, connect, step } = options;
  let copies = 0;
  const harmed: WitnessedScenario = {
    scenario,
    auditLog: () => {
      copies += 1;
      return { directory: join(directory, `log-${copies}`), witnesses };
    },
  };
  await step('witness', 'the whole store, records and log together, rolled back before a start', async () =>
    judge('STORE_ROLLED_BACK', await rollBackWholeStore(harmed)),
  );
  await step('witness', 'a node that was paused while a clone of it ran: nothing leaves it', async () => {
    const codes = await signBesideClone(harmed, async (node, nonce) => {
      const client = await connect(node);
      const transfer = makeTransfer(DECIDED_KEY, SUPPLIER.address, WEI / 10n, BigInt(nonce));
      await client.sign(transfer.request).finally(() => client.close());
    });
    const [clone, paused, again] = codes;
    const ok = clone === 'SIGNED' && again === 'SIGNED' && paused === 'LOG_NOT_COSIGNED';
    return { ok, outcome: ok ? 'LOG_NOT_COSIGNED' : codes.join(', ') };
  });
}
