import { describe, expect, it } from 'vitest';
import { decodePayload } from '../../policy/transactions/index.ts';
import type { Limit } from '../../shared/documents/configuration.ts';
import { condition, denial, ETHER, MAINNET, permit } from '../shared/documents/sample-rules.ts';
import { effect, transaction } from './sample-transactions.ts';
import { outcomeOf, request, startPolicy } from './start-policy.ts';

const CONTRACT = '0x6b175474e89094c44da98b954eedeac495271d0f';
const named = (standard: string) => `${MAINNET}/${standard}:${CONTRACT}`;
const DAI = named('erc20');
/** The private key 1: any key will do. */
const PUBLIC_KEY = Buffer.from('0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798', 'hex');
const word = (digits: string) => digits.padStart(64, '0');
const SPENDER = '11'.repeat(20);

/** A legacy transaction of 0 wei to the contract with the words of a call. */
function call(selector: string, ...words: string[]) {
  const data = Buffer.from(selector + words.map(word).join(''), 'hex');
  const items = Buffer.concat([
    Buffer.from('800182ffff94', 'hex'),
    Buffer.from(CONTRACT.slice(2), 'hex'),
    Buffer.from([0x80, 0xb8, data.length]),
    data,
    Buffer.from('018080', 'hex'),
  ]);
  const bytes = Buffer.concat([Buffer.from([0xf8, items.length]), items]);
  return decodePayload(
    { kind: 'ethereum-transaction', transaction: bytes.toString('hex') },
    { algorithm: 'ecdsa-secp256k1', publicKey: PUBLIC_KEY, networks: [MAINNET], ownKeys: [] },
  ).transaction;
}

const anything = permit({
  effects: (['transfer', 'allowance', 'message', 'authorise-code'] as const).map((type) =>
    condition({ type, to: null, assets: null }),
  ),
  payloads: ['ethereum-transaction', 'ethereum-typed-data', 'ethereum-message', 'ethereum-authorization'],
  features: ['ethereum:foreign-funds', 'ethereum:any-chain'],
  networks: null,
});
const limit = (changes: Partial<Limit> = {}): Limit => ({
  id: 'daily',
  asset: DAI,
  max: '10',
  seconds: 86_400,
  per: 'client',
  fees: false,
  ...changes,
});
const approve = call('095ea7b3', SPENDER, '64');
const transferFrom = call('23b872dd', '22'.repeat(20), SPENDER, '64');

describe('calls whose token may be of either standard', () => {
  it.each(['erc20', 'erc721', 'erc1155'])('are denied where %s tokens of their contract are', (standard) => {
    const asset = standard === 'erc1155' ? `${named(standard)}/7` : named(standard);
    const denied = denial({
      effects: (['transfer', 'allowance'] as const).map((type) =>
        condition({ type, to: null, assets: [asset] }),
      ),
      features: null,
    });
    const decide = startPolicy([anything, denied]);
    expect(outcomeOf(decide(request(approve)))).toBe('RULE_DENIED');
    expect(outcomeOf(decide(request(transferFrom)))).toBe('RULE_DENIED');
    expect(outcomeOf(startPolicy([anything])(request(approve)))).toBe(`permitted ${anything.id}`);
  });

  it('are not those of another contract', () => {
    const other = `${MAINNET}/erc20:0x${'33'.repeat(20)}`;
    const denied = denial({
      effects: [condition({ type: 'allowance', to: null, assets: [other] })],
      features: null,
    });
    expect(outcomeOf(startPolicy([anything, denied])(request(approve)))).toBe(`permitted ${anything.id}`);
  });

  it('count against a limit on the ERC-20 token, by whatever subject', () => {
    for (const per of ['client', 'key', 'destination', 'rule'] as const) {
      const decide = startPolicy([{ ...anything, limits: [limit({ per })] }]);
      expect(outcomeOf(decide(request(transferFrom)))).toBe('LIMIT_EXCEEDED');
      expect(decide(request(call('23b872dd', '22'.repeat(20), SPENDER, 'a')))).toMatchObject({
        outcome: 'permitted',
        charges: [{ asset: DAI, amount: 10n }],
      });
    }
  });

  it('match no rule with a limit on tokens of ERC-721: their number may be an id', () => {
    for (const per of ['client', 'destination'] as const) {
      const decide = startPolicy([{ ...anything, limits: [limit({ asset: named('erc721'), per })] }]);
      expect(outcomeOf(decide(request(transferFrom)))).toBe('POLICY_DENIED');
    }
  });
});

describe('what moves an amount that no field says', () => {
  const unmeasured = [
    transaction({
      kind: 'ethereum-typed-data',
      effects: [effect({ type: 'message', to: null, asset: null, amount: null, selector: 'SafeTx' })],
    }),
    transaction({
      kind: 'ethereum-message',
      network: null,
      effects: [effect({ type: 'message', to: null, asset: null, amount: null })],
    }),
    transaction({ effects: [effect({ type: 'authorise-code', asset: null, amount: null })] }),
  ];
  const tiers = [{ asset: ETHER, steps: [{ max: null, approvals: null }] }];

  it.each(unmeasured)('matches no rule with limits, and none with tiers: $kind', (of) => {
    expect(outcomeOf(startPolicy([anything])(request(of)))).toBe(`permitted ${anything.id}`);
    const limited = { ...anything, limits: [limit({ asset: ETHER })] };
    expect(outcomeOf(startPolicy([limited])(request(of)))).toBe('POLICY_DENIED');
    expect(outcomeOf(startPolicy([{ ...anything, tiers }])(request(of)))).toBe('POLICY_DENIED');
  });

  it('is the balance of a new contract, in an asset without tiers', () => {
    const rule = { ...anything, effects: [condition({ type: 'deploy', to: null, assets: null })], tiers };
    const deploy = (asset: string) =>
      transaction({ effects: [effect({ type: 'deploy', to: null, asset, amount: 5n })] });
    expect(outcomeOf(startPolicy([rule])(request(deploy(ETHER))))).toBe(`permitted ${rule.id}`);
    expect(outcomeOf(startPolicy([rule])(request(deploy(DAI))))).toBe('POLICY_DENIED');
  });

  it('is no memo beside a transfer', () => {
    const memo = effect({ type: 'message', to: null, asset: null, amount: null });
    const both = transaction({ effects: [effect(), memo] });
    expect(outcomeOf(startPolicy([{ ...anything, tiers }])(request(both)))).toBe(`permitted ${anything.id}`);
  });
});
