import { describe, expect, it } from 'vitest';
import { decideAgreed, type PlannedStep } from '../../../../admin/vault/steps/runner.ts';

const ready = (...changes: string[]): PlannedStep['state'] => ({ state: 'ready', changes });

describe('a step of a run that a person has agreed to', () => {
  it.each<[string, PlannedStep['state'] | undefined, string]>([
    ['is done as it was shown', ready('puts the policy'), 'do'],
    ['is done after others of the role', { state: 'next', after: ['node-1/kms-stack'] }, 'do'],
    [
      'is left where it was shown to wait, and what it waits for comes while somebody reads',
      { state: 'waiting', waitsFor: [{ role: 'infrastructure', step: 'infrastructure/attestations' }] },
      'leave',
    ],
    ['is refused where it would change something else', ready('puts another policy'), 'refuse'],
    ['is refused where it would change more', ready('puts the policy', 'and more'), 'refuse'],
    ['is refused where it was shown as done', { state: 'done' }, 'refuse'],
    ['is refused where nothing was shown of it', undefined, 'refuse'],
  ])('%s', (_, shown, expected) => {
    expect(decideAgreed(shown, ['puts the policy'])).toBe(expected);
  });

  it('is left to the next run where it has to be shown first, and could not be', () => {
    const next: PlannedStep['state'] = { state: 'next', after: ['node-1/signing-function'] };
    expect(decideAgreed(next, ['signs a configuration'], true)).toBe('leave');
    expect(decideAgreed(ready('signs it'), ['signs it'], true)).toBe('do');
  });
});
