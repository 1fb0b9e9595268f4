import type { Effect, Transaction } from '../../policy/transactions/transaction.ts';
import { CAROL, ETHER, MAINNET } from '../shared/documents/sample-rules.ts';

export const effect = (changes: Partial<Effect> = {}): Effect => ({
  type: 'transfer',
  to: CAROL,
  asset: ETHER,
  amount: 5n,
  contract: null,
  selector: null,
  details: {},
  ...changes,
});

/** A transfer of 5 wei to Carol with a fee of 2. */
export const transaction = (changes: Partial<Transaction> = {}): Transaction => ({
  kind: 'ethereum-transaction',
  network: MAINNET,
  source: '0xde0b295669a9fd93d5f28d9ec85e40f4cb697bae',
  effects: [effect()],
  fee: { asset: ETHER, amount: 2n },
  nonce: 7n,
  gas: 21_000n,
  features: [],
  details: {},
  ...changes,
});
