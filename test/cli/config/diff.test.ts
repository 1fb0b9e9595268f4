import { describe, expect, it } from 'vitest';
import { condition, makeConfiguration2, permit } from '../../shared/documents/sample-rules.ts';
import { runHoldfast } from '../in-process.ts';
import { makeFolder } from '../node-files.ts';

const upTo = (max: string) => [permit({ effects: [condition({ amount: { min: null, max } })] })];

async function diff(before: object, after: object, ...args: string[]) {
  const folder = makeFolder();
  const old = folder.write('old.json', JSON.stringify(makeConfiguration2(before)));
  const next = folder.write('new.json', JSON.stringify(makeConfiguration2(after)));
  return await runHoldfast(['config', 'diff', old, next, ...args]);
}

describe('holdfast config diff', () => {
  it('shows a request that only the new one permits, in words and as JSON', async () => {
    const [before, after] = [{ rules: upTo('5') }, { rules: upTo('6'), version: 2 }];
    const { exit, out } = await diff(before, after);
    expect(exit).toBe(0);
    expect(out).toContain('PERMITS MORE');
    expect(out).toContain('ONLY THE NEW ONE permits');
    expect(out).toContain('old: denied: POLICY_DENIED');
    const { out: json } = await diff(before, after, '--json');
    expect(JSON.parse(json)).toMatchObject({
      gained: { request: { transaction: { effects: [{ amount: '6' }] } }, new: { outcome: 'permitted' } },
      lost: null,
    });
  });

  it('says that a search is no proof, unless the comparison says it too', async () => {
    const rate = (count: number) => ({ rules: [permit({ rate: { count, seconds: 60 } })] });
    // One request alone shows no rate.
    expect((await diff(rate(1), rate(2))).out).toMatch(
      /no difference found among \d+ requests: a search is no proof/,
    );
    expect((await diff({}, {})).out).toContain('the comparison says that nothing changes');
  });

  it('stops where it is told to', async () => {
    expect((await diff({}, {}, '--requests', '3')).out).toContain(
      '3 requests, not all that there are to try',
    );
    expect((await diff({}, {}, '--requests', '0')).exit).toBe(2);
  });
});
