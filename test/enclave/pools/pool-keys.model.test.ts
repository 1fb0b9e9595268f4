import { describe, expect, it } from 'vitest';
import { Game, MAXIMUM } from './pool-game.ts';
import { pool, startPoolNode } from './pool-node.ts';

const SEED = process.env['HOLDFAST_SEED'] === 'random' ? Math.trunc(Math.random() * 2 ** 31) : 20_300_101;
const RUNS = 12;

describe('keys of a pool', () => {
  it.each(Array.from({ length: RUNS }, (_, run) => SEED + run))(
    'are as requests and the clock have made them, whenever the power goes: seed %i',
    async (seed) => {
      const node = await startPoolNode({ pools: [pool({ maximum: MAXIMUM })] });
      await expect(new Game(node, seed).play()).resolves.toBeUndefined();
    },
    60_000,
  );
});
