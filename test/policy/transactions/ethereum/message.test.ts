import { hashMessage } from 'ethers';
import { describe, expect, it } from 'vitest';
import { MAX_ETHEREUM_MESSAGE_BYTES } from '../../../../policy/transactions/ethereum/message.ts';
import { MAX_TYPED_DATA_BYTES } from '../../../../policy/transactions/ethereum/typed-data/document.ts';
import { MAX_MESSAGE_BYTES } from '../../../../shared/api/payloads.ts';
import { decode, digestOf, encodeTransaction, refusalOf, SOURCE } from './support.ts';

function decodeMessage(message: Uint8Array | string, networks?: string[]) {
  const bytes = Buffer.from(message);
  return decode({ kind: 'ethereum-message', message: bytes.toString('hex') }, networks);
}

function detailsOf(message: Uint8Array | string) {
  return decodeMessage(message).transaction.effects[0]?.details ?? {};
}

describe('a message of EIP-191', () => {
  it.each(['', 'a', 'Grüße\n\t世界', 'x'.repeat(100), '\u0000', '1\r\n'])(
    '%j has the digest of ethers',
    (text) => {
      const decoded = decodeMessage(text);
      expect(digestOf(decoded)).toBe(hashMessage(text));
      expect(decoded.transaction).toMatchObject({
        kind: 'ethereum-message',
        network: null,
        source: SOURCE,
        effects: [{ type: 'message', to: null, asset: null, amount: null, contract: null, selector: null }],
        fee: null,
        features: [],
      });
    },
  );

  it('is shown as text where all of it can be seen', () => {
    expect(detailsOf('Grüße\n世界')).toEqual({ text: 'Grüße\n世界' });
  });

  it.each([
    ['bytes that are no UTF-8', Uint8Array.of(0x61, 0xff)],
    ['an overlong sequence', Uint8Array.of(0xc0, 0xaf)],
    ['a NUL', 'a\u0000'],
    ['a carriage return', 'a\rb'],
    ['an escape', '\u001b[2J'],
    ['a byte order mark', '\ufeffa'],
    ['text that runs backwards', 'pay \u202e001'],
    ['a zero-width space', 'a\u200bb'],
    ['a line separator', 'a\u2028b'],
    ['a private character', '\ue000'],
  ])('with %s is shown in hex', (_, message) => {
    expect(detailsOf(message)).toMatchObject({ hex: Buffer.from(message).toString('hex') });
    expect(detailsOf(message)).not.toHaveProperty('text');
  });

  it.each([
    ['32 bytes', Uint8Array.from({ length: 32 }, (_, index) => 0x80 + index)],
    ['64 digits', 'ab'.repeat(32)],
    ['64 digits with 0x', `0x${'AB'.repeat(32)}`],
    ['a prefix of EIP-191', Uint8Array.of(0x19, 0x01, 5)],
    ['an encoded transaction', Buffer.from(encodeTransaction('EIP-1559'), 'hex')],
    ['an encoded transaction of the first type', Buffer.from(encodeTransaction('legacy'), 'hex')],
  ])('that looks like %s has a warning', (_, message) => {
    expect(detailsOf(message)).toHaveProperty('warning');
  });

  it.each(['hello', 'À', 'ab'.repeat(31), Uint8Array.of(1, 2, 3)])('of %j has none', (message) => {
    expect(detailsOf(message)).not.toHaveProperty('warning');
  });

  it('is refused beyond its limit, and for a key that serves no Ethereum network', () => {
    const longest = 'a'.repeat(MAX_ETHEREUM_MESSAGE_BYTES);
    expect(digestOf(decodeMessage(longest))).toBe(hashMessage(longest));
    expect(refusalOf(() => decodeMessage(`${longest}a`))).toBe('TRANSACTION_TOO_LARGE');
    expect(refusalOf(() => decodeMessage('a', ['tezos:NetXdQprcVkpaWU']))).toBe(
      'TRANSACTION_NETWORK_MISMATCH',
    );
  });

  it('has the limits of the request', () => {
    expect(MAX_ETHEREUM_MESSAGE_BYTES).toBe(MAX_MESSAGE_BYTES);
    expect(MAX_TYPED_DATA_BYTES).toBe(MAX_MESSAGE_BYTES);
  });

  it('that is no hex is refused with a code', () => {
    for (const message of ['0', 'zz', '0x00'])
      expect(refusalOf(() => decode({ kind: 'ethereum-message', message }))).toBe('TRANSACTION_MALFORMED');
  });
});
