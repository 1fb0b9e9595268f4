import { join } from 'node:path';
import { ed25519 } from '@noble/curves/ed25519.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DemoStep, playVault } from '../../../local/demo/index.ts';
import { ROLES, type VaultTestbed } from '../../../local/testbed/vault/index.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { TOOLS } from './support/open-testbed.ts';

/** Commands that each of a vault's people may need. */
const MAX_COMMANDS = 7;
/** Commands of the admin of node 2 that the story has refused. */
const REFUSED = 2;

const steps: DemoStep[] = [];
const running = new Set<{ stop(): Promise<void> }>();
let testbed: VaultTestbed;
// The story of the demonstration is the ceremony; it is played once.
beforeAll(async () => {
  testbed = await playVault({
    ...TOOLS,
    directory: join(temporaryFolder(), 'v'),
    running,
    signal: new AbortController().signal,
    step: async (part, title, act) => {
      steps.push({ part, title, milliseconds: 0, ...(await act()) });
    },
  });
}, 1_800_000);
afterAll(async () => {
  for (const each of running) await each.stop();
});

const outcomeOf = (words: string) => steps.find(({ title }) => title.includes(words))?.outcome;

describe('the ceremony of a vault', { timeout: 300_000 }, () => {
  it('leads four people with four accounts from nothing to nodes that serve', async () => {
    expect(steps.filter(({ ok }) => !ok)).toEqual([]);
    const status = await testbed.person('node-3').run('vault', 'status');
    expect(status).toMatchObject({ exit: 0, said: { isComplete: true } });
  });

  it('asks at most seven commands of each', () => {
    const counts = ROLES.map((role) => {
      const { commands } = testbed.person(role);
      // Each has applied once more at the end.
      return [role, commands - 1 - (role === 'node-2' ? REFUSED : 0)] as const;
    });
    expect(counts.filter(([, count]) => count > MAX_COMMANDS)).toEqual([]);
  });

  it('shows each what changes, in words', () => {
    const quoted = steps.flatMap(({ details = [] }) => details);
    const expected = [
      '$ holdfast vault apply --role node-1 …',
      'makes Key (AWS::KMS::Key)',
      'permits kms:Decrypt by arn:aws:iam::444455556666:role/acme-production-node-',
      'no longer permits kms:GenerateDataKey',
      'waits for infrastructure, who has to do infrastructure/start',
      'all steps of this role are done',
    ];
    expect(expected.filter((words) => !quoted.some((line) => line.includes(words)))).toEqual([]);
  });

  it('gives nobody credentials that do anything in the account of another', () => {
    expect(outcomeOf('the admin of node 2 tries')).toBe('VAULT_OTHER_ACCOUNT');
    expect(outcomeOf('infrastructure asks AWS itself')).toBe('AccessDeniedException');
  });

  it('refuses a file that was altered on its way', () => {
    expect(outcomeOf('never edit')).toBe('STATEMENT_FILE_CHANGED');
  });

  it('ends with a key that two of three nodes sign with', async () => {
    const message = Buffer.from('the second signature');
    const backend = await testbed.client('wallet-backend');
    const signed = await backend('quorum', 'sign', 'treasury', '--message', message.toString('hex'));
    expect(signed).toMatchObject({ exit: 0 });
    const { signature, publicKey } = signed.said as unknown as { signature: string; publicKey: string };
    const [R, A] = [signature, publicKey].map((hex) => Uint8Array.from(Buffer.from(hex, 'hex')));
    expect(ed25519.verify(R ?? new Uint8Array(), message, A ?? new Uint8Array())).toBe(true);
  });

  it('changes nothing when everybody applies once more', () => {
    expect(outcomeOf('once more')).toBe('nothing is changed');
  });
});
