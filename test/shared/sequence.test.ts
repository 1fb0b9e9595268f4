import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createSequence } from '../../shared/sequence.ts';

it('runs acts one after another, whatever the one before has come to', async () => {
  const inTurn = createSequence();
  const seen: string[] = [];
  const act = (name: string, waitMs: number) => async () => {
    seen.push(`${name} begins`);
    await sleep(waitMs);
    seen.push(`${name} ends`);
    if (name === 'second') throw new RangeError(name);
    return name;
  };
  const ended = await Promise.allSettled([
    inTurn(act('first', 20)),
    inTurn(act('second', 10)),
    inTurn(act('third', 0)),
  ]);
  expect(ended.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(seen).toEqual(['first', 'second', 'third'].flatMap((name) => [`${name} begins`, `${name} ends`]));
});
