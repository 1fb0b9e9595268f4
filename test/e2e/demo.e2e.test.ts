import { join } from 'node:path';
import { computeAddress, recoverAddress, Transaction } from 'ethers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DecidedTransfer, type DemoStep, playDecisions, startOnce } from '../../local/demo/index.ts';
import { findLogPeerPrograms } from '../../local/testbed/log-peers.ts';
import { Scenario } from '../../local/testbed/scenario.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const SUPPLIER = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed';
const HOLDFAST = [process.execPath, join(import.meta.dirname, '../../cli/main.ts')] as const;

const steps: DemoStep[] = [];
let decided: readonly DecidedTransfer[] = [];
let scenario: Scenario;

const outcomes = (part: DemoStep['part']) =>
  steps.filter((step) => step.part === part).map(({ outcome }) => outcome);

beforeAll(async () => {
  const directory = temporaryFolder();
  scenario = await Scenario.open(directory);
  const log = await startOnce(scenario);
  const running = new Set<{ stop(): Promise<void> }>();
  try {
    decided = await playDecisions(
      {
        scenario,
        directory,
        holdfast: HOLDFAST,
        version: 2,
        running,
        step: async (part, title, act) => {
          steps.push({ part, title, milliseconds: 0, ...(await act()) });
        },
      },
      log,
    );
  } finally {
    for (const each of running) await each.stop();
  }
}, 600_000);

afterAll(() => scenario.close());

describe('the decisions of the demonstration', () => {
  it('shows the rule in words before anything is decided by it', () => {
    expect(steps[1]?.details).toEqual(
      expect.arrayContaining([
        'transfer to book suppliers of eip155:1/slip44:60',
        'up to 1 ETH: no approval',
        'up to 10 ETH: approved by 2 of treasury',
      ]),
    );
    expect(outcomes('decide').slice(0, 2)).toEqual(['each a process that remembers', 'serving']);
  });

  it('signs a transfer within limits, waits for two people with one above, refuses a third in words', () => {
    const [signed, waiting, refused, blind] = outcomes('decide').slice(2);
    expect(signed).toBe('permitted: 0.4 ETH to Supplier A; rule pay-suppliers');
    expect(waiting).toBe('pending: 4 ETH to Supplier A; rule pay-suppliers; needs 2 of treasury');
    expect(refused).toMatch(
      /^denied: 0\.1 ETH to 0xfB6916.*, which no book names; rule pay-suppliers: .{10}/,
    );
    expect(blind).toBe('POLICY_DENIED');
  });

  it('signs what waited only once two people have approved', () => {
    expect(outcomes('approve')).toEqual([
      'approvals: 1 of 2',
      'APPROVALS_NEEDED',
      'approvals: 2 of 2',
      'permitted: 4 ETH to Supplier A; rule pay-suppliers',
    ]);
  });

  it("gives signatures that are Ethereum's over these very transfers, by one key, and none for the third", () => {
    const found = decided.map(({ transfer, response }) => {
      const { payload } = transfer.request;
      if (payload.kind !== 'ethereum-transaction') throw new TypeError('another kind');
      const transaction = Transaction.from(`0x${payload.transaction}`);
      if (response === null) return { to: transaction.to, value: transaction.value, isSigned: false };
      const [r, s] = [response.signature.slice(0, 64), response.signature.slice(64)];
      const from = recoverAddress(transaction.unsignedHash, {
        r: `0x${r}`,
        s: `0x${s}`,
        yParity: response.recovery === 1 ? 1 : 0,
      });
      expect(from).toBe(computeAddress(`0x${response.publicKey}`));
      return { to: transaction.to, value: transaction.value, isSigned: true };
    });
    expect(found).toEqual([
      { to: SUPPLIER, value: 400_000_000_000_000_000n, isSigned: true },
      { to: SUPPLIER, value: 4_000_000_000_000_000_000n, isSigned: true },
      { to: expect.not.stringMatching(SUPPLIER), value: 100_000_000_000_000_000n, isSigned: false },
    ]);
  });

  it('has its receipts verified offline, and an altered one refused', () => {
    const receipts = outcomes('prove').slice(0, 4);
    expect(receipts).toEqual([
      expect.stringMatching(/^verified: permitted; entry \d+ of the log, cosigned by 2$/),
      expect.stringMatching(
        /^verified: permitted; consent of treasurer-1 and treasurer-2; entry \d+ of the log, cosigned by 2$/,
      ),
      expect.stringMatching(/^verified: denied; entry \d+ of the log, cosigned by 2$/),
      'RECEIPT_SIGNATURE_INVALID',
    ]);
  });

  it('has its log verified by the command, and by programs that are not ours where they are', () => {
    const [own, others] = outcomes('prove').slice(4);
    expect(own).toMatch(/^verified: .*decision/);
    expect(others).toMatch(
      findLogPeerPrograms() === undefined ? /^NOT DONE: .* alone$/ : /^verified by both: \d+ entries$/,
    );
  });

  it('has a client of AWS KMS make a key and sign through a door, and refuses it the rest', () => {
    expect(outcomes('door')).toEqual([
      expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
      expect.stringMatching(/^ECC_NIST_P256 [0-9a-f-]{36}$/),
      'verified by OpenSSL',
      'AccessDeniedException POLICY_DENIED',
      'AccessDeniedException KEY_TYPE_REFUSED',
      'AccessDeniedException POLICY_DENIED',
    ]);
  });

  it('refuses to start on a store that was rolled back, and lets nothing out of a paused clone', () => {
    expect(outcomes('witness')).toEqual(['STORE_ROLLED_BACK', 'LOG_NOT_COSIGNED']);
  });

  it('calls every step as it must be', () => {
    expect(steps.filter(({ ok }) => !ok)).toEqual([]);
  });
});
