import { describe, expect, test } from 'vitest';
import { createNodeStatus } from '../../parent/status/node-status.ts';

describe('what a node says of itself', () => {
  let now = 1_000;
  const status = () => createNodeStatus(() => now);

  test('is news once, however often it says that it serves', () => {
    now = 1_000;
    const node = status();
    expect(node.current).toBeNull();
    expect(node.report('serving', null)).toBe(true);
    now = 16_000;
    expect(node.report('serving', null)).toBe(false);
    expect(node.current).toEqual({ phase: 'serving', code: null, since: 1_000, heardAt: 16_000 });
    expect(node.report('failed', 'KMS_REFUSED')).toBe(true);
    expect(node.report('failed', 'KMS_REFUSED')).toBe(true);
  });

  test('counts for a minute', () => {
    now = 1_000;
    const node = status();
    node.report('serving', null);
    now = 61_000;
    expect(node.isServing).toBe(true);
    now = 61_001;
    expect(node.isServing).toBe(false);
    node.report('serving', null);
    expect(node.isServing).toBe(true);
    node.report('stopped', null);
    expect(node.isServing).toBe(false);
  });
});
