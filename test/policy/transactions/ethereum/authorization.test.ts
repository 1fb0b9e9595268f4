import { encodeRlp, hashAuthorization } from 'ethers';
import { describe, expect, it } from 'vitest';
import { bare, decode, digestOf, refusalOf, type Item, SOURCE, TOKEN } from './support.ts';

function encode(items: Item[], prefix = '05'): string {
  return prefix + bare(encodeRlp(items as never));
}

function decodeAuthorization(authorization: string, networks?: string[]) {
  return decode({ kind: 'ethereum-authorization', authorization }, networks);
}

describe('an authorisation of EIP-7702', () => {
  it('hands the account of the key to code, on one chain', () => {
    const decoded = decodeAuthorization(encode(['0x0a', TOKEN, '0x02']));
    expect(digestOf(decoded)).toBe(hashAuthorization({ chainId: 10, address: TOKEN, nonce: 2 }));
    expect(decoded.transaction).toMatchObject({
      kind: 'ethereum-authorization',
      network: 'eip155:10',
      source: SOURCE,
      effects: [{ type: 'authorise-code', to: TOKEN, contract: SOURCE, amount: null, asset: null }],
      fee: null,
      nonce: 2n,
      gas: null,
      features: [],
    });
  });

  it('with chain 0 holds on any chain, which has to be named', () => {
    const decoded = decodeAuthorization(encode(['0x', TOKEN, '0x']));
    expect(digestOf(decoded)).toBe(hashAuthorization({ chainId: 0, address: TOKEN, nonce: 0 }));
    expect(decoded.transaction).toMatchObject({ network: null, features: ['ethereum:any-chain'] });
    expect(refusalOf(() => decodeAuthorization(encode(['0x', TOKEN, '0x']), ['tezos:NetXdQprcVkpaWU']))).toBe(
      'TRANSACTION_NETWORK_MISMATCH',
    );
    expect(refusalOf(() => decodeAuthorization(encode(['0x', TOKEN, '0x']), ['eip155:0']))).toBe(
      'TRANSACTION_NETWORK_MISMATCH',
    );
  });

  it('for a chain that the key does not serve is refused', () => {
    expect(refusalOf(() => decodeAuthorization(encode(['0x38', TOKEN, '0x'])))).toBe(
      'TRANSACTION_NETWORK_MISMATCH',
    );
  });

  it.each([
    ['another prefix', encode(['0x01', TOKEN, '0x'], '04')],
    ['no prefix', encode(['0x01', TOKEN, '0x'], '')],
    ['two items', encode(['0x01', TOKEN])],
    ['four items', encode(['0x01', TOKEN, '0x', '0x'])],
    ['a short address', encode(['0x01', TOKEN.slice(0, -2), '0x'])],
    ['no address', encode(['0x01', '0x', '0x'])],
    ['a list as chain id', encode([[], TOKEN, '0x'])],
    ['a nonce of 9 bytes', encode(['0x01', TOKEN, `0x01${'00'.repeat(8)}`])],
    ['a nonce that leaves its list', `05d80194${bare(TOKEN)}8303`.toLowerCase()],
    ['a byte after it', `${encode(['0x01', TOKEN, '0x'])}00`],
  ])('with %s is refused', (_, bytes) => {
    expect(refusalOf(() => decodeAuthorization(bytes))).toBe('TRANSACTION_MALFORMED');
  });

  it.each([
    ['chain id as a zero byte', encode(['0x00', TOKEN, '0x'])],
    ['a chain id with a leading zero', encode(['0x0001', TOKEN, '0x'])],
    ['a nonce as a zero byte', encode(['0x01', TOKEN, '0x00'])],
    ['a length in a longer form', encode(['0x01', TOKEN, '0x']).replace('05d7', '05f817')],
  ])('with %s is refused', (_, bytes) => {
    expect(refusalOf(() => decodeAuthorization(bytes))).toBe('TRANSACTION_NOT_CANONICAL');
  });

  it('with the nonce 2^64 - 1 is refused', () => {
    expect(refusalOf(() => decodeAuthorization(encode(['0x01', TOKEN, '0xffffffffffffffff'])))).toBe(
      'TRANSACTION_UNSAFE',
    );
  });

  it('longer than 128 bytes is refused', () => {
    expect(refusalOf(() => decodeAuthorization(`05${'00'.repeat(128)}`))).toBe('TRANSACTION_TOO_LARGE');
  });

  it('for the zero address says that it takes the code away', () => {
    const [effect] = decodeAuthorization(encode(['0x01', `0x${'00'.repeat(20)}`, '0x'])).transaction.effects;
    expect(effect?.details['meaning']).toContain('away');
  });
});
