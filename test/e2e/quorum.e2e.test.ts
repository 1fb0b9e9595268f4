import { expect, it } from 'vitest';
import { playQuorum } from '../../local/demo/quorum.ts';
import type { Running } from '../../local/demo/steps.ts';
import { copyProgram } from '../../local/nitro-host/index.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

it(
  'shares one key among three nodes that attest each other, through its whole life',
  { timeout: 240_000 },
  async () => {
    const program = await copyProgram();
    const running: Running = new Set();
    const steps: { readonly title: string; readonly ok: boolean; readonly outcome: string }[] = [];
    try {
      await playQuorum({
        directory: temporaryFolder(),
        program,
        running,
        step: async (_, title, act) => {
          const { ok, outcome } = await act();
          steps.push({ title, ok, outcome });
        },
      });
    } finally {
      for (const each of [...running].toReversed()) await each.stop();
      await program.remove();
    }
    expect(steps.filter(({ ok }) => !ok)).toEqual([]);
    expect(steps.map(({ outcome }) => outcome)).toEqual([
      'serving, serving, serving',
      'all are connected',
      expect.stringMatching(/^Ed25519 [0-9a-f]{16}…, epoch 1$/),
      'verified by OpenSSL',
      'epoch 2, the same key',
      'two are left',
      'verified by OpenSSL',
      'serving',
      'epoch 2 is in force, no share of epoch 1',
      'epoch 3, the same key',
      expect.stringMatching(/^QUORUM_(?:BELOW_THRESHOLD|UNREACHABLE)$/),
      'node 3 has started with the cosignatures of both others',
      'verified by OpenSSL',
      'STORE_ROLLED_BACK',
      'verified by OpenSSL',
    ]);
  },
);
