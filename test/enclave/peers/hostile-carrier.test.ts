import { describe, expect, test } from 'vitest';
import type { OpenPeerNetwork } from '../../../enclave/peers/index.ts';
import { type Fate, Nodes, peerOf } from './nodes.ts';

const SEEDS =
  process.env['HOLDFAST_SEED'] === 'random' ? [Math.floor(Math.random() * 2 ** 31)] : [1, 2, 3, 4, 5, 6];
const CALLS = 60;

/** Numbers from 0 to 1, the same for the same seed: mulberry32. */
function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Drops, repeats, reorders, alters, cuts, splices and shows again what was sent long ago, under any node's name. */
function makeHostile(random: () => number): Fate {
  const kept: Uint8Array[] = [];
  const pick = () => kept[Math.floor(random() * kept.length)] ?? new Uint8Array();
  return (from, to, bytes) => {
    if (kept.length < 400) kept.push(bytes);
    else kept[Math.floor(random() * kept.length)] = bytes;
    const deliveries: { after: number; bytes: Uint8Array; from?: number; to?: number }[] = [];
    const soon = () => 1 + Math.floor(random() ** 3 * 200);
    if (random() < 0.8) deliveries.push({ after: soon(), bytes });
    if (random() < 0.15) deliveries.push({ after: soon() * 5, bytes });
    if (random() < 0.15) deliveries.push({ after: soon(), bytes: pick() });
    if (random() < 0.1) deliveries.push({ after: soon(), bytes: pick(), from: to, to: from });
    if (random() < 0.1) {
      const altered = Buffer.from(random() < 0.5 ? bytes : pick());
      const place = Math.floor(random() * altered.length);
      altered[place] = (altered[place] ?? 0) ^ (1 + Math.floor(random() * 255));
      deliveries.push({ after: soon(), bytes: altered });
    }
    if (random() < 0.05)
      deliveries.push({ after: soon(), bytes: bytes.subarray(0, Math.floor(random() * bytes.length)) });
    if (random() < 0.05) {
      const other = pick();
      const cut = Math.floor(random() * Math.min(bytes.length, other.length));
      deliveries.push({ after: soon(), bytes: Buffer.concat([bytes.subarray(0, cut), other.subarray(cut)]) });
    }
    return deliveries;
  };
}

/** What a node was asked, in the order in which it was; a call is its caller's boot and its number. */
interface Ledger {
  readonly carriedOut: string[];
}

function serve(network: OpenPeerNetwork, ledger: Ledger, expected: Map<string, string>) {
  network.serve('note', (from, body) => {
    const name = Buffer.from(body.subarray(0, 64)).toString().trim();
    expect(Buffer.from(body).toString('latin1')).toBe(expected.get(name));
    expect(name.startsWith(`${from.session} `)).toBe(true);
    ledger.carriedOut.push(name);
    return Promise.resolve(body);
  });
}

/** Makes the body of a call: its name, and as many bytes as the seed says. */
function makeBody(name: string, random: () => number): Uint8Array {
  const size = random() < 0.1 ? Math.floor(random() * 150_000) : Math.floor(random() * 500);
  return Buffer.concat([Buffer.from(name.padEnd(64)), Buffer.alloc(size, Math.floor(random() * 256))]);
}

describe('over a carrier that drops, repeats, reorders, alters, replays and splices', () => {
  test.each(SEEDS)(
    'calls are carried out at most once, in order, unaltered, and all end: seed %i',
    async (seed) => {
      const random = makeRandom(seed);
      const nodes = await Nodes.create();
      try {
        const expected = new Map<string, string>();
        const ledgers = { 1: { carriedOut: [] as string[] }, 2: { carriedOut: [] as string[] } };
        let boots = 0;
        const boot = async (node: 1 | 2) => {
          boots += 1;
          const session = (boots * 1_000 + node).toString(16).padStart(32, '0');
          const network = await nodes.open(node, { peers: [peerOf(3 - node)], session });
          serve(network, ledgers[node], expected);
          return { network, session };
        };
        const both = { 1: await boot(1), 2: await boot(2) };
        nodes.fate = makeHostile(random);
        const open: Promise<void>[] = [];
        let answered = 0;
        let given = 0;
        for (let index = 0; index < CALLS; index += 1) {
          const caller = random() < 0.5 ? 1 : 2;
          const { network, session } = both[caller];
          // After a kill, most of the calls would find no session.
          if (random() < 0.9)
            await nodes.time.until(() => network.identity(3 - caller) !== undefined, 30_000);
          const name = `${session} ${String(index).padStart(5, '0')}`;
          const body = makeBody(name, random);
          expected.set(name, Buffer.from(body).toString('latin1'));
          const call = network.call(3 - caller, 'note', body, { timeoutMs: 30_000 }).then(
            (answer) => {
              answered += 1;
              expect(Buffer.compare(answer, body)).toBe(0);
            },
            (error: unknown) => {
              given += 1;
              expect(error).toMatchObject({ code: expect.stringMatching(/^PEER_(UNREACHABLE|OVERLOADED)$/) });
            },
          );
          open.push(call);
          await nodes.time.pass(Math.floor(random() * 400));
          if (random() < 0.05) {
            const killed = random() < 0.5 ? 1 : 2;
            nodes.kill(killed);
            both[killed] = await boot(killed);
          }
        }
        let haveEnded = false;
        void Promise.allSettled(open).then(() => (haveEnded = true));
        expect(await nodes.time.until(() => haveEnded, 120_000)).toBe(true);
        await Promise.all(open);
        expect(answered + given).toBe(CALLS);
        expect(answered).toBeGreaterThan(CALLS / 4);
        for (const { carriedOut } of Object.values(ledgers)) {
          expect(new Set(carriedOut).size).toBe(carriedOut.length);
          // Names of one boot ascend: what was called later was carried out later.
          for (const session of new Set(carriedOut.map((name) => name.slice(0, 32)))) {
            const ofBoot = carriedOut.filter((name) => name.startsWith(session));
            expect(ofBoot).toEqual(ofBoot.toSorted());
          }
        }
        // A carrier that is faithful again carries everything.
        nodes.fate = (_from, _to, bytes) => [{ after: 1, bytes }];
        const [one, two] = [both[1].network, both[2].network];
        expect(
          await nodes.time.until(
            () => one.identity(2) !== undefined && two.identity(1) !== undefined,
            60_000,
          ),
        ).toBe(true);
      } finally {
        nodes.close();
      }
    },
  );

  test('most calls are answered all the same', async () => {
    const random = makeRandom(99);
    const nodes = await Nodes.create();
    try {
      nodes.fate = makeHostile(random);
      const one = await nodes.open(1, { peers: [peerOf(2)] });
      const two = await nodes.open(2, { peers: [peerOf(1)] });
      two.serve('echo', (_, body) => Promise.resolve(body));
      expect(await nodes.time.until(() => one.identity(2) !== undefined, 60_000)).toBe(true);
      let answered = 0;
      for (let index = 0; index < 40; index += 1) {
        let isSettled = false;
        void one
          .call(2, 'echo', Buffer.alloc(2_000, index), { timeoutMs: 20_000 })
          .then(() => (answered += 1))
          .catch(() => undefined)
          .finally(() => (isSettled = true));
        await nodes.time.until(() => isSettled, 30_000);
      }
      expect(answered).toBeGreaterThan(36);
    } finally {
      nodes.close();
    }
  });
});
