import { expect, it } from 'vitest';
import { QuorumSigningError } from '../../../../enclave/quorum/signing/errors.ts';
import { MAX_PACKAGES } from '../../../../enclave/quorum/signing/limits.ts';
import type { SignAnswer } from '../../../../enclave/quorum/signing/messages.ts';
import { RequestMemory } from '../../../../enclave/quorum/signing/request-memory.ts';

const answerOf = (code: string): SignAnswer => ({
  outcome: 'unable',
  code,
  receipt: null,
  epoch: null,
  certificate: null,
});

it('decides a request once: later packages have the rule that has permitted the first', async () => {
  const remembered = new RequestMemory(() => 0).open({ id: 'one', expires: 1 });
  const rules: (string | undefined)[] = [];
  const act = (rule: string | undefined) => {
    rules.push(rule);
    return Promise.resolve({ answer: answerOf('SAME'), rule: rule ?? 'payouts' });
  };
  // At the same time: the second waits for the first.
  await Promise.all([remembered.add('first', act), remembered.add('second', act)]);
  await remembered.add('third', act);
  expect(rules).toEqual([undefined, 'payouts', 'payouts']);
  expect(await remembered.find('first')).toEqual(answerOf('SAME'));
});

it('decides again what was denied, for people may have approved it meanwhile', async () => {
  const remembered = new RequestMemory(() => 0).open({ id: 'one', expires: 1 });
  const rules: (string | undefined)[] = [];
  const deny = (rule: string | undefined) => {
    rules.push(rule);
    return Promise.resolve({ answer: answerOf('DENIED'), rule: undefined });
  };
  await remembered.add('first', deny);
  await remembered.add('second', deny);
  expect(rules).toEqual([undefined, undefined]);
});

it('signs no request with more packages than there may be', async () => {
  const remembered = new RequestMemory(() => 0).open({ id: 'one', expires: 1 });
  const act = () => Promise.resolve({ answer: answerOf('SAME'), rule: 'payouts' });
  for (let index = 0; index < MAX_PACKAGES; index += 1) await remembered.add(String(index), act);
  expect(() => remembered.add('last', act)).toThrow(QuorumSigningError);
  expect(() => remembered.assertRoom()).toThrow(QuorumSigningError);
});

it('forgets a request when its signature has expired, and not before', async () => {
  let now = 0;
  const memory = new RequestMemory(() => now);
  const first = memory.open({ id: 'one', expires: 61_000 });
  now = 60_999;
  expect(memory.open({ id: 'one', expires: 61_000 })).toBe(first);
  now = 90_000;
  expect(memory.open({ id: 'one', expires: 100_000 })).not.toBe(first);
});
