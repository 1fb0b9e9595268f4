import { describe, expect, it } from 'vitest';
import { refusalIn, runHoldfast } from './in-process.ts';

describe('holdfast local demo', () => {
  it.each([['everything'], [''], ['Vault']])('plays no part of the name %j', async (name) => {
    const refused = await runHoldfast(['local', 'demo', '--part', 'vault', '--part', name, '--json']);
    expect(refusalIn(refused)).toMatchObject({ exit: 2, code: 'USAGE' });
    expect(refused.out + refused.err).toContain('node, decisions, quorum, vault');
  });

  it('begins with no step once it is interrupted', async () => {
    const signal = AbortSignal.abort();
    const ended = await runHoldfast(['local', 'demo', '--part', 'vault', '--json'], { signal });
    expect(refusalIn(ended)).toMatchObject({ exit: 1, code: 'INTERRUPTED' });
  });
});
