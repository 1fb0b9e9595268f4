import { describe, expect, it } from 'vitest';
import {
  CAROL,
  condition,
  denial,
  ETHER,
  makeConfiguration2,
  MAINNET,
  permit,
} from '../../shared/documents/sample-rules.ts';
import { refusalIn, runHoldfast } from '../in-process.ts';
import { makeFolder } from '../node-files.ts';

const PUBLIC_KEY = '0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798';
const keys = [{ id: 'hot', type: 'secp256k1' as const, publicKey: PUBLIC_KEY, networks: [MAINNET] }];
/** EIP-155's example: 1 ether to 0x3535…. */
const EXAMPLE = 'ec098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a764000080018080';
const REQUEST = {
  client: 'backend',
  key: 'hot',
  algorithm: 'ecdsa-secp256k1',
  payload: { kind: 'ethereum-transaction', transaction: EXAMPLE },
};
const suppliers = {
  id: 'suppliers',
  network: MAINNET,
  entries: [{ label: 'Paper mill', address: `0x${'35'.repeat(20)}` }],
};
const toCarol = condition({ to: { books: [], addresses: [`${MAINNET}:${CAROL}`] } });

async function explain(changes: object, request: unknown = REQUEST, ...args: string[]) {
  const folder = makeFolder();
  const document = makeConfiguration2({ keys, addressBooks: [suppliers], ...changes });
  const file = folder.write('configuration.json', JSON.stringify(document));
  const asked = folder.write('request.json', typeof request === 'string' ? request : JSON.stringify(request));
  return await runHoldfast(['config', 'explain', file, asked, ...args]);
}
const dataOf = ({ out }: { out: string }) => JSON.parse(out) as Record<string, unknown>;

describe('holdfast config explain', () => {
  it('names the rule that permits, and shows the transaction in words', async () => {
    const { exit, out } = await explain({});
    expect(exit).toBe(0);
    expect(out).toContain('permitted by rule transfers');
    expect(out).toMatch(/transfer 1 ETH to 0x3535[0-9a-f]* \("Paper mill" of suppliers\)/);
    expect(out).toContain('fee at most 0.00042 ETH');
  });

  it('names the first condition that fails in each rule', async () => {
    const rules = [
      permit({ id: 'carol', effects: [toCarol] }),
      permit({ id: 'small', effects: [condition({ amount: { min: null, max: '5' } })] }),
      permit({ id: 'others', clients: ['treasury'] }),
    ];
    expect(dataOf(await explain({ rules }, REQUEST, '--json'))).toMatchObject({
      outcome: 'denied',
      code: 'POLICY_DENIED',
      rules: expect.arrayContaining([
        expect.objectContaining({ rule: 'carol', matches: false, condition: 'to' }),
        expect.objectContaining({ rule: 'small', matches: false, condition: 'amount' }),
        expect.objectContaining({ rule: 'others', matches: false, condition: 'clients' }),
      ]),
    });
  });

  it('names the denial, the approvals, the limit', async () => {
    const frozen = dataOf(await explain({ rules: [permit(), denial()] }, REQUEST, '--json'));
    expect(frozen).toMatchObject({ outcome: 'denied', code: 'RULE_DENIED' });
    expect(frozen['rules']).toContainEqual(expect.objectContaining({ rule: 'frozen', matches: true }));
    const approvals = { all: [{ group: 'treasurers', count: 2 }], expiresSeconds: 60 };
    const waiting = await explain({ rules: [permit({ approvals })] });
    expect(waiting.out).toContain('waits under rule transfers for 2 of treasurers');
    const limit = { id: 'day', asset: ETHER, max: '5', seconds: 60, per: 'key', fees: true } as const;
    const limited = dataOf(await explain({ rules: [permit({ limits: [limit] })] }, REQUEST, '--json'));
    expect(limited).toMatchObject({ outcome: 'denied', code: 'LIMIT_EXCEEDED' });
  });

  it('says that the configuration has expired', async () => {
    const late = await explain({ notAfter: '2026-01-01T00:00:00Z' }, REQUEST, '--at', '2026-01-02T00:00:00Z');
    expect(late.out).toContain('CONFIGURATION_EXPIRED');
  });

  it.each<[string, object, unknown]>([
    ['PUBLIC_KEY_UNKNOWN', { keys: [{ id: 'hot', type: 'secp256k1', networks: [MAINNET] }] }, REQUEST],
    [
      'TRANSACTION_MALFORMED',
      {},
      { ...REQUEST, payload: { kind: 'ethereum-transaction', transaction: 'ec' } },
    ],
    ['REQUEST_FILE_MALFORMED', {}, { ...REQUEST, client: undefined }],
    ['REQUEST_FILE_MALFORMED', {}, { ...REQUEST, more: 1 }],
    ['REQUEST_FILE_MALFORMED', {}, '{'],
  ])('refuses with %s', async (code, changes, request) => {
    expect(refusalIn(await explain(changes, request, '--json'))).toMatchObject({ exit: 1, code });
  });

  it('denies an unknown key without reading what it would sign', async () => {
    const data = dataOf(await explain({}, { ...REQUEST, key: 'none' }, '--json'));
    expect(data).toMatchObject({ outcome: 'denied', code: 'UNKNOWN_KEY', transaction: null });
  });
});
