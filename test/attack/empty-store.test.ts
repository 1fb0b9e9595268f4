import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Scenario } from '../../local/testbed/scenario.ts';
import type { StoreSnapshot } from '../../local/hostile-parent/memory-store.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

let directory: string;
let scenario: Scenario;

beforeAll(async () => {
  directory = temporaryFolder();
  scenario = await Scenario.open(directory);
});

afterAll(async () => {
  await scenario.close();
});

describe('a parent that keeps the store of every moment', () => {
  it('has none at which the node had a store and no keys: it cannot have them made anew', async () => {
    const moments: StoreSnapshot[] = [];
    const code = await scenario.attempt({
      onControl: async ({ request, honest }) => {
        const answer = await honest();
        if (request.type === 'store-commit') moments.push(scenario.store.snapshot());
        return answer;
      },
    });
    expect(code).toBe('SERVING');
    // As it should be from then on: no order, and no GenerateDataKey.
    await scenario.testNode.allow(scenario.pcrs);
    await scenario.testNode.configure(scenario.configuration(2));
    const [first] = moments;
    if (first === undefined) throw new RangeError('nothing was written');
    const keys = (snapshot: StoreSnapshot) =>
      [...snapshot.records]
        .filter(([name]) => name.startsWith('keys/'))
        .map(([, { bytes }]) => Buffer.from(bytes).toString('hex'));
    for (const moment of moments) {
      scenario.store.restore(moment);
      expect(await scenario.attempt()).toBe('SERVING');
      expect(keys(scenario.store.snapshot())).toEqual(keys(moments.at(-1) ?? first));
    }
  });

  it('cannot leave a store half made: a start that was cut off in its commits is begun anew', async () => {
    const other = await scenario.beside(2);
    for (let cut = 0; cut < 4; cut += 1) {
      let commits = 0;
      const code = await other.attempt({
        onControl: ({ request, honest }) =>
          request.type === 'store-commit' && commits++ === cut
            ? { type: 'error', code: 'STORE_FAILED' }
            : honest(),
      });
      if (code === 'SERVING') break;
      expect(code).toBe('STORE_UNCERTAIN');
    }
    expect(await other.attempt()).toBe('SERVING');
  });
});
