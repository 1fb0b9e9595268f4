import { describe, expect, it } from 'vitest';
import type { Effect } from '../../../../policy/transactions/index.ts';
import { ADDRESSES, decode, MAINNET, messageOf, VECTORS } from './support.ts';

const { own, other, to, account, mint, vote, nonce, stake, unknown } = ADDRESSES;
const SYSTEM = '11111111111111111111111111111111';
const TOKEN = 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA';
const TOKEN_2022 = 'TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb';
const STAKE = 'Stake11111111111111111111111111111111111111';
const ASSOCIATED = 'ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL';
const SOL = `${MAINNET}/slip44:501`;
const MINT = `${MAINNET}/token:${mint}`;

const nothing = { to: null, asset: null, amount: null };
const system = (type: string, tag: number, fields: Partial<Effect> = {}) => ({
  ...nothing,
  type,
  contract: SYSTEM,
  selector: `0x${tag.toString(16).padStart(2, '0')}000000`,
  ...fields,
});
const stakes = (type: string, tag: number, fields: Partial<Effect> = {}) => ({
  ...system(type, tag, fields),
  contract: STAKE,
});
const token = (type: string, tag: number, fields: Partial<Effect> = {}) => ({
  ...nothing,
  type,
  contract: TOKEN,
  selector: `0x${tag.toString(16).padStart(2, '0')}`,
  ...fields,
});
const pays = (amount: bigint, receiver = to) => ({ to: receiver, asset: SOL, amount });

/** What each vector does, its features, and its fee in lamports. */
const EXPECTED: Record<string, [effects: object[], features?: string[], fee?: bigint]> = {
  'system transfer': [[system('transfer', 2, pays(1_000_000_000n))]],
  'system transfer v0': [[system('transfer', 2, pays(1n))]],
  'system transfer of another signer': [[system('call', 2)], ['solana:other-signers'], 10_000n],
  'system transfer, another pays the fee': [
    [system('transfer', 2, pays(7n))],
    ['solana:other-signers', 'solana:other-fee-payer'],
    0n,
  ],
  // 300,001 units at 1.000001 lamports are 300,001.300001, rounded up.
  'priority fee': [[system('transfer', 2, pays(7n))], [], 305_002n],
  createAccount: [
    [
      system('transfer', 0, {
        ...pays(2_039_280n, other),
        details: { instruction: '0', space: '165', owner: TOKEN },
      }),
    ],
    ['solana:other-signers'],
    10_000n,
  ],
  'createAccount of the key': [
    [system('authorise-code', 0, { to: TOKEN })],
    ['solana:other-signers', 'solana:other-fee-payer'],
    0n,
  ],
  createAccountWithSeed: [[system('transfer', 3, pays(5n, account))]],
  transferWithSeed: [[system('transfer', 11, pays(9n))]],
  assign: [[system('authorise-code', 1, { to: TOKEN })]],
  assignWithSeed: [[system('authorise-code', 10, { to: TOKEN })]],
  allocate: [[system('unknown', 8)]],
  'durable nonce': [[system('call', 4), system('transfer', 2, pays(1n))], ['solana:durable-nonce']],
  'nonce advance, not first': [[system('transfer', 2, pays(1n)), system('call', 4)]],
  'nonce withdraw': [[system('transfer', 5, { ...pays(77n), details: { instruction: '0', from: nonce } })]],
  'nonce authorize': [[system('call', 7, { to })], ['solana:set-authority']],
  'token transfer': [[token('transfer', 3, { to, amount: 5n })]],
  'token transferChecked': [
    [
      token('transfer', 12, {
        to,
        asset: MINT,
        amount: 5n,
        details: { instruction: '0', decimals: '6', from: account, destination: 'token account' },
      }),
    ],
  ],
  'token-2022 transferChecked': [
    [{ ...token('transfer', 12, { to, asset: MINT, amount: 5n }), contract: TOKEN_2022 }],
  ],
  'token transferChecked by multisig': [
    [token('transfer', 12, { to, asset: MINT, amount: 5n })],
    ['solana:other-signers'],
    10_000n,
  ],
  'token transferChecked of another': [[token('call', 12)], ['solana:other-signers'], 10_000n],
  'token approve': [[token('allowance', 4, { to, amount: 8n })]],
  'token approveChecked without end': [
    [token('allowance', 13, { to, asset: MINT })],
    ['solana:unlimited-allowance'],
  ],
  'token revoke': [[token('allowance', 5, { amount: 0n })]],
  'token setAuthority of the owner': [[token('transfer', 6, { to })], ['solana:set-authority']],
  'token setAuthority of the mint, none': [[token('call', 6)], ['solana:set-authority']],
  'token closeAccount': [[token('transfer', 9, { to, asset: SOL })], ['solana:close-account']],
  'token burnChecked': [[token('transfer', 15, { asset: MINT, amount: 3n })], ['solana:burn']],
  'token burn': [[token('transfer', 8, { asset: MINT, amount: 3n })], ['solana:burn']],
  'token mintTo': [[token('transfer', 7, { to: account, asset: MINT, amount: 4n })], ['solana:mint']],
  'token mintToChecked': [[token('transfer', 14, { to: account, asset: MINT, amount: 4n })], ['solana:mint']],
  'token freeze': [[token('call', 10)]],
  'token syncNative': [[token('call', 17)]],
  'token initializeAccount with the key as owner': [[token('unknown', 1)]],
  'associated token account, create': [[{ ...token('call', 0, { to }), contract: ASSOCIATED }]],
  'associated token account, createIdempotent': [[{ ...token('call', 1, { to }), contract: ASSOCIATED }]],
  'associated token account, recoverNested': [[{ ...token('call', 2), contract: ASSOCIATED }]],
  memo: [
    [
      {
        ...nothing,
        type: 'message',
        contract: 'MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr',
        selector: '0x',
        details: { instruction: '0', memo: 'für dich' },
      },
    ],
  ],
  'stake delegate': [[stakes('delegate', 2, { to: vote, details: { instruction: '0', stake } })]],
  'stake deactivate': [[stakes('stake', 5)]],
  'stake withdraw': [[stakes('transfer', 4, { ...pays(12n), details: { instruction: '0', from: stake } })]],
  'stake authorize': [[stakes('call', 1, { to })], ['solana:set-authority']],
  'unknown program with the key': [
    [
      {
        ...nothing,
        type: 'call',
        contract: unknown,
        selector: '0x0102030405060708',
        details: { instruction: '0', accounts: '1', givenKey: 'true' },
      },
    ],
  ],
  'unknown program without the key': [[{ ...nothing, type: 'call', contract: unknown, selector: '0x0102' }]],
  // The runtime counts the signature that the program verifies.
  'ed25519 precompile': [
    [{ ...nothing, type: 'call', contract: 'Ed25519SigVerify111111111111111111111111111' }],
    [],
    10_000n,
  ],
  'destination from a table': [
    [{ ...nothing, type: 'unknown', contract: SYSTEM, selector: '0x0200000001000000' }],
    ['solana:address-table'],
  ],
};

describe('what instructions of others’ libraries do', () => {
  it.each(VECTORS.map(({ name }) => name))('is read: %s', (name) => {
    const expected = EXPECTED[name];
    if (expected === undefined) throw new Error('a vector of which nobody says what it does');
    const [effects, features = [], fee = 5000n] = expected;
    const message = messageOf(name);
    const { transaction, signings } = decode(message);
    expect(transaction).toMatchObject({ effects, features, fee: { asset: SOL, amount: fee } });
    expect(transaction.effects).toHaveLength(effects.length);
    expect(transaction).toMatchObject({
      kind: 'solana-transaction',
      network: MAINNET,
      source: own,
      nonce: null,
    });
    expect(signings).toHaveLength(1);
    const [{ input }] = signings as [(typeof signings)[number]];
    if (input.kind !== 'message') throw new Error('a message is signed as it is');
    expect(Buffer.from(input.message).equals(message)).toBe(true);
  });

  it('says all of what is expected of a vector that exists', () => {
    expect(Object.keys(EXPECTED).toSorted()).toEqual(VECTORS.map(({ name }) => name).toSorted());
  });
});
