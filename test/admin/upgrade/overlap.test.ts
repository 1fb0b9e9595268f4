import { describe, expect, it } from 'vitest';
import {
  assertOverlapLength,
  assertQuorumWithout,
  assertSpareNode,
  describeReminder,
  findOverlapState,
  renderOverlapPolicy,
  renderSinglePolicy,
} from '../../../admin/upgrade/index.ts';

const DAY = 86_400_000;
const NOW = Date.parse('2026-11-01T00:00:00Z');
const UNTIL = NOW + 10 * DAY;
const image = (fill: number) =>
  new Map([0, 1, 2].map((index) => [index, new Uint8Array(48).fill(fill + index)]));
const images = { old: image(1), new: image(11) };
const key = {
  nodeRole: 'arn:aws:iam::444455556666:role/node',
  admins: ['arn:aws:iam::111122223333:role/admin'],
  encryptionContext: { 'holdfast:node': '1' },
  pcr16: new Uint8Array(48).fill(7),
};
const overlap = renderOverlapPolicy(key, images, UNTIL);

describe('findOverlapState', () => {
  it.each([
    ['before', renderSinglePolicy(key, images.old), NOW],
    ['narrowed', renderSinglePolicy(key, images.new), NOW],
    ['open', overlap, NOW],
    ['open', JSON.stringify(JSON.parse(overlap)), UNTIL - 3 * DAY - 1],
    ['ending', overlap, UNTIL - 3 * DAY],
    ['expired', overlap, UNTIL],
    ['other', renderOverlapPolicy(key, images, UNTIL + 1000), NOW],
    ['other', renderSinglePolicy(key, image(21)), NOW],
  ])('finds %s', (state, policy, now) => {
    expect(findOverlapState(policy, { key, images, until: UNTIL, now })).toBe(state);
  });

  it('reminds of an end that is near, that has passed, and of a policy that nobody knows', () => {
    const states = ['before', 'open', 'ending', 'expired', 'narrowed', 'other'] as const;
    const reminded = states.filter((state) => describeReminder(1, state, UNTIL, NOW) !== undefined);
    expect(reminded).toEqual(['ending', 'expired', 'other']);
  });

  it('has KMS itself end the overlap, by the day in the statement of the old image alone', () => {
    const { Statement: statements } = JSON.parse(overlap) as {
      Statement: { Condition?: { DateLessThan?: Record<string, string> } }[];
    };
    const dated = statements.filter(({ Condition }) => Condition?.DateLessThan !== undefined);
    expect(dated.map(({ Condition }) => Condition?.DateLessThan)).toEqual([
      { 'aws:CurrentTime': new Date(UNTIL).toISOString().replace('.000', '') },
    ]);
  });
});

describe('what may not begin', () => {
  const code = (act: () => void) => {
    try {
      act();
      return 'TAKEN';
    } catch (error) {
      return (error as { code: string }).code;
    }
  };

  it('is an overlap that ends in the past, in a moment, or after 30 days', () => {
    const ends = [NOW - 1, NOW + 60_000, NOW + 31 * DAY].map((until) =>
      code(() => assertOverlapLength(until, NOW)),
    );
    expect(ends).toEqual(Array.from({ length: 3 }, () => 'UPGRADE_OVERLAP_LENGTH'));
    expect(code(() => assertOverlapLength(UNTIL, NOW))).toBe('TAKEN');
  });

  it('is an upgrade of a quorum without a spare node', () => {
    expect(code(() => assertSpareNode({ size: 2, threshold: 2 }))).toBe('UPGRADE_NO_SPARE_NODE');
    expect(code(() => assertSpareNode({ size: 3, threshold: 2 }))).toBe('TAKEN');
  });

  it('is a node taken down while the others are fewer than the threshold', () => {
    const report = (node: number, canSign: boolean) => ({ node, canSign, image: null, code: null });
    const three = [report(1, true), report(2, true), report(3, false)];
    expect(code(() => assertQuorumWithout(three, 1, 2))).toBe('UPGRADE_QUORUM_AT_RISK');
    expect(code(() => assertQuorumWithout(three, 3, 2))).toBe('TAKEN');
  });
});
