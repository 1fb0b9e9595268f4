import { describe, expect, it } from 'vitest';
import { call, CONTRACT, decodeForged, MAINNET, micheline, OTHER, ROLLUP, SOURCE, TZ4 } from './samples.ts';

const { int, pair, string, unit } = micheline;
const FA12 = `${MAINNET}/fa12:${CONTRACT}`;
const FA2 = `${MAINNET}/fa2:${CONTRACT}`;
/** SOURCE, TZ4, CONTRACT and ROLLUP as 22 bytes: the tag of the kind, that of the curve, the hash; or a byte of padding. */
const HASH = '2d711642b726b04401627ca9fbac32f5c8530fb1';
const CONTRACT_BYTES = { bytes: `01${HASH}00` };
const TZ4_BYTES = { bytes: `0003${HASH}` };
const ROLLUP_BYTES = { bytes: `03${HASH}00` };

const effectsOf = async (entrypoint: string, value: unknown, amount = '0') =>
  (await decodeForged(call(entrypoint, value, { amount }))).transaction;

describe('FA1.2', () => {
  it.each([
    ['nested pairs', pair(string(SOURCE), pair(string(OTHER), int(2n ** 200n)))],
    ['a flat pair', pair(string(SOURCE), string(OTHER), int(2n ** 200n))],
  ])('transfer with %s is a transfer of the token', async (_form, value) => {
    expect(await effectsOf('transfer', value)).toMatchObject({
      effects: [
        {
          type: 'transfer',
          to: OTHER,
          asset: FA12,
          amount: 2n ** 200n,
          contract: CONTRACT,
          selector: 'transfer',
          details: { owner: SOURCE },
        },
      ],
      features: [],
    });
  });

  it.each([
    [CONTRACT_BYTES, CONTRACT],
    [TZ4_BYTES, TZ4],
    [ROLLUP_BYTES, ROLLUP],
    [string(ROLLUP), ROLLUP],
  ])('transfer to %o names the address', async (to, address) => {
    const decoded = await effectsOf('transfer', pair(string(SOURCE), pair(to, int(1))));
    expect(decoded.effects).toMatchObject([{ type: 'transfer', to: address, amount: 1n }]);
  });

  it('transfer of tokens of another has a feature that a rule must name', async () => {
    const decoded = await effectsOf('transfer', pair(string(TZ4), pair(string(OTHER), int(1))));
    expect(decoded).toMatchObject({
      effects: [{ type: 'transfer', details: { owner: TZ4 } }],
      features: ['tezos:tokens-of-others'],
    });
  });

  it('approve is an allowance of its amount', async () => {
    expect(await effectsOf('approve', pair(string(CONTRACT), int(0)))).toMatchObject({
      effects: [{ type: 'allowance', to: CONTRACT, asset: FA12, amount: 0n, details: { owner: SOURCE } }],
      features: [],
    });
  });

  it('transfer with tez has the payment as an effect of its own', async () => {
    const decoded = await effectsOf('transfer', pair(string(SOURCE), pair(string(OTHER), int(1))), '3');
    expect(decoded.effects).toMatchObject([
      { type: 'transfer', to: CONTRACT, asset: `${MAINNET}/slip44:1729`, amount: 3n },
      { type: 'transfer', to: OTHER, asset: FA12, amount: 1n },
    ]);
  });
});

describe('FA2', () => {
  it('transfer is a transfer for each destination and token', async () => {
    const value = [
      pair(string(SOURCE), [pair(string(OTHER), pair(int(0), int(10))), pair(string(TZ4), int(7), int(20))]),
      pair(string(OTHER), [pair(string(SOURCE), pair(int(0), int(30)))]),
    ];
    expect(await effectsOf('transfer', value)).toMatchObject({
      effects: [
        { type: 'transfer', to: OTHER, asset: `${FA2}/0`, amount: 10n, details: { owner: SOURCE } },
        { type: 'transfer', to: TZ4, asset: `${FA2}/7`, amount: 20n, details: { owner: SOURCE } },
        { type: 'transfer', to: SOURCE, asset: `${FA2}/0`, amount: 30n, details: { owner: OTHER } },
      ],
      features: ['tezos:tokens-of-others'],
    });
  });

  it('update_operators is an allowance without an end, or the end of one', async () => {
    const operator = (side: string, id: number) => ({
      prim: side,
      args: [pair(string(SOURCE), pair(string(OTHER), int(id)))],
    });
    expect(await effectsOf('update_operators', [operator('Left', 1), operator('Right', 2)])).toMatchObject({
      effects: [
        { type: 'allowance', to: OTHER, asset: `${FA2}/1`, amount: null },
        { type: 'allowance', to: OTHER, asset: `${FA2}/2`, amount: 0n },
      ],
      features: ['tezos:unlimited-allowance'],
    });
  });
});

describe('calls that are not quite those of a token', () => {
  const sender = string(SOURCE);
  const to = string(OTHER);
  it.each([
    ['transfer', unit],
    ['transfer', []],
    ['transfer', [pair(sender, [])]],
    ['transfer', [pair(sender, [pair(to, pair(int(0), int(1)))]), pair(sender, [])]],
    ['transfer', pair(sender, to)],
    ['transfer', pair(sender, to, int(1), int(2))],
    ['transfer', pair(sender, pair(to, int(-1)))],
    ['transfer', pair(sender, pair(to, string('1')))],
    ['transfer', { prim: 'Pair', args: [sender, pair(to, int(1))], annots: ['%x'] }],
    ['transfer', pair(sender, pair(string(`${CONTRACT}%mint`), int(1)))],
    ['transfer', pair(sender, pair(string(`${OTHER.slice(0, -1)}a`), int(1)))],
    ['transfer', pair(sender, pair({ bytes: `01${HASH}01` }, int(1)))],
    ['transfer', pair(sender, pair({ bytes: `0004${HASH}` }, int(1)))],
    ['transfer', pair(sender, pair({ bytes: `01${HASH}006d696e74` }, int(1)))],
    ['transfer', [pair(sender, [pair(to, pair(int(10n ** 78n), int(1)))])]],
    ['approve', pair(to, int(-1))],
    ['approve', [pair(to, int(1))]],
    ['update_operators', { prim: 'Left', args: [pair(sender, pair(to, int(0)))] }],
    ['update_operators', [{ prim: 'Some', args: [pair(sender, pair(to, int(0)))] }]],
    ['update_operators', [{ prim: 'Left', args: [pair(sender, pair(to, int(0)))], annots: ['%add'] }]],
    ['transfer_', pair(sender, pair(to, int(1)))],
  ])('%s of %o is a call', async (entrypoint, value) => {
    const decoded = await effectsOf(entrypoint, value);
    expect(decoded.effects).toMatchObject([
      { type: 'call', to: null, asset: null, amount: null, contract: CONTRACT, selector: entrypoint },
    ]);
  });
});
