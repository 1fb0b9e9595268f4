/**
 * Ethereum transfers that are read, decided, counted and logged, through the whole path, beside signatures by digest of
 * the same key, in this build and in a former one without a log. All take turns within each round.
 *
 * node bench/transfers.ts [--former FOLDER] [--rounds N] [--seconds N] [--warm-up N] [--connections N]
 *                          [--json FILE]
 *
 * `--former` names a checkout with its modules and its addon built.
 */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type { connectNode } from '../client/index.ts';
import type { SignRequest } from '../shared/api/bodies.ts';
import { OTHER_CORE, pinSelf } from './node/cores.ts';
import type { LoadFigures, measureLoad } from './node/load-figures.ts';
import { BenchStack, type BenchStackOptions } from './node/stack.ts';
import { median } from './node/statistics.ts';
import { DIGEST, makeTransferConfiguration, makeTransfers } from './node/transfers.ts';

const { values } = parseArgs({
  options: {
    former: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    'warm-up': { type: 'string', default: '2' },
    connections: { type: 'string', default: '16' },
    json: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const connections = Number(values.connections);
const warmUpSeconds = Number(values['warm-up']);
const TRANSFERS = 20_000;
/** Requests a second that are signed beforehand. */
const MAX_PER_SECOND = 1_500;
const AIM = 0.7;

/** What is measured of one build. A checkout of another commit has its own code for all of it. */
interface Measured {
  readonly load: (requests: SignRequest | readonly SignRequest[]) => Promise<LoadFigures>;
  readonly stop: () => Promise<void>;
}

/** Starts the node of a checkout, with that checkout's own stack and clients. */
async function startNode(folder: string, options: BenchStackOptions): Promise<Measured> {
  const load = async <Module>(path: string) =>
    (await import(pathToFileURL(join(folder, path)).href)) as Module;
  const { BenchStack: Stack } = await load<{ BenchStack: typeof BenchStack }>('bench/node/stack.ts');
  const { connectNode: connect } = await load<{ connectNode: typeof connectNode }>('client/index.ts');
  const { measureLoad: measure } = await load<{ measureLoad: typeof measureLoad }>(
    'bench/node/load-figures.ts',
  );
  const stack = await Stack.open(options);
  const node = await stack.start('bundle');
  const [client] = stack.clients;
  if (client === undefined) throw new RangeError('no client');
  const connected = await connect({
    ...stack.trust,
    url: node.url,
    clientId: client.id,
    privateKey: client.privateKey,
  });
  const { binding } = await connected.attest();
  connected.close();
  const target = {
    url: node.url,
    session: binding.session,
    serverPid: node.enclavePid,
    parentPid: node.parentPid,
  };
  const clients = stack.clients.map(({ id, privateKey }) => ({
    id,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  }));
  return {
    load: (requests) =>
      measure(
        target,
        requests,
        { clients, connections, seconds, warmUpSeconds, maxPerSecond: MAX_PER_SECOND },
        true,
      ),
    stop: async () => {
      await node.stop();
      await stack.close();
    },
  };
}

pinSelf(OTHER_CORE);
const transfers = makeTransfers(TRANSFERS);
const present = await startNode(resolve(import.meta.dirname, '..'), {
  configure: makeTransferConfiguration,
  hasAuditLog: true,
});
const former = values.former === undefined ? undefined : await startNode(resolve(values.former), {});
type Load = [name: string, run: () => Promise<LoadFigures>];
const loads: readonly Load[] = [
  ['transfers', () => present.load(transfers)],
  ['digests', () => present.load(DIGEST)],
  ...(former === undefined ? [] : [['former digests', () => former.load(DIGEST)] satisfies Load]),
];
const figures = new Map<string, LoadFigures[]>(loads.map(([name]) => [name, []]));
try {
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, run] of loads) figures.get(name)?.push(await run());
  }
} finally {
  await present.stop();
  await former?.stop();
}

const middle = (name: string, pick: (each: LoadFigures) => number) =>
  median((figures.get(name) ?? []).map(pick));
for (const [name] of loads) {
  const at = (pick: (each: LoadFigures) => number, digits = 0) =>
    middle(name, pick).toFixed(digits).padStart(7);
  console.log(
    `${name.padEnd(16)} ${at((each) => each.perSecond)}/s  p50 ${at((each) => each.p50, 1)} ms  p99 ${at((each) => each.p99, 1)} ms` +
      `  µs of core: enclave ${at((each) => each.server)}, parent ${at((each) => each.parent)}, client ${at((each) => each.client)}` +
      `  others ${at((each) => each.others, 1)} cores`,
  );
}
for (const [name] of loads.slice(1)) {
  // Ratios of the same round: what others do on the machine falls on both.
  const shares = (pick: (each: LoadFigures) => number) =>
    median(
      (figures.get(name) ?? []).map(
        (each, index) => pick(figures.get('transfers')?.[index] ?? each) / pick(each),
      ),
    );
  const rate = shares((each) => each.perSecond);
  const core = shares((each) => 1 / each.server);
  console.log(
    `transfers: ${rate.toFixed(2)} of the rate of ${name}, ${core.toFixed(2)} on the enclave's core (aim ${AIM} of former digests)`,
  );
}
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify(Object.fromEntries(figures), undefined, 2)}\n`);
}
