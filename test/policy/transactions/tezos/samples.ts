import { LocalForger } from '@taquito/local-forging';
import { b58DecodePublicKey, getPkhfromPk } from '@taquito/utils';
import { decodeTezos } from '../../../../policy/transactions/tezos/index.ts';
import { type DecodingContext, TransactionError } from '../../../../policy/transactions/index.ts';

/** Accounts as pytezos 3.20.0 printed them: throw-away keys, and the generator of P-256 as the third. */
export const ACCOUNTS = {
  ed25519: {
    publicKey: 'edpkurNtL7LDhxZ7AaBfq2efJ74NQ5jU9eW6Yk6BpJQot2njMyicTq',
    address: 'tz1LbYhmrfhwdpABTKEwNjfvJ8NgMdCVyfwX',
    raw: '9f4b3d213f6da2e448aa67dda3fc3cea74de362e325318771e22761e1f418d7e',
  },
  'ecdsa-secp256k1': {
    publicKey: 'sppk7Zpr3qFYETERuqma6A1vXQwKZ676a4j32BwCYCJDyPHAFYBqpjq',
    address: 'tz2UrhkjExiLaoSBbXcDb8F5XePg3DjotVoj',
    raw: '02449897185844079663274f061f7110a17577011e17fef944c511d8bee1598019',
  },
  'ecdsa-p256-sha256': {
    publicKey: 'p2pk67L57Q7vcgLkMrKXctFRKs5JSLR6qjiw1riJaFyakWpTv9QSkRf',
    address: 'tz3bqAfFRnSA6dfPRG8XR6MBMmo6HZTTG44V',
    raw: '036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296',
  },
} as const;
export type TezosAlgorithm = keyof typeof ACCOUNTS;

export const MAINNET = 'tezos:NetXdQprcVkpaWU';
export const SOURCE = ACCOUNTS.ed25519.address;
export const OTHER = 'tz1VSUr8wwNhLAzempoch5d6hLRiTh8Cjcjb';
export const TZ4 = 'tz4D9XTvxSnqXqtnzjzAr9vpK7kVbzm2xdYH';
export const CONTRACT = 'KT1Cj3SpMHh7NeNrD37zZHDxFAgaXwi3yx7P';
export const ROLLUP = 'sr1ABco52QpDfqT2Xwxmam13qpMhauxUfe3G';
export const BRANCH = 'BL4J5ptf5F8jAJbcnEXy8mC6uDrXx5Dvi1eqhD1UokjhGMMYBcx';
export const PROTOCOL = 'Ps4i4YkbnN5Rb7wPq2ffrhRjPtB75SPR1496wEGkaqEjpyLe71Q';
export const PAYLOAD_HASH = 'vh228rxuvUpGXaxKGNrrDBqw5kRMLXkm4hLAJ2jt4RKx2XJTtKmn';
export const BLS_KEY = 'BLpk1QpvG8nBQF3D1Wjh8KHnkXSECiRTVYE7UmoqHTmyhXiumLzvHneL1AYR4yG8mrnNcHKqMQ3n';
export const BLS_SIGNATURE =
  'BLsig6JDQ82u1m9UtMe7DASr2HeEopt46g2sskBYVZeht32od8rMgkZaRBtUErSYr9RCQYRtunGWBSM15EooUhVhbZ15njroz952yLoXYUQMsqKgU7Y8NUKoiK6eGbUyurFnVgzuruBTZ3';

/** Operation as the RPC interface of a node, taquito and pytezos have it. */
export type Content = Readonly<Record<string, unknown>> & { readonly kind: string };

export function manager(counter = 41, source: string = SOURCE) {
  return {
    source,
    fee: '1420',
    counter: String(counter),
    gas_limit: '1040000',
    storage_limit: '257',
  };
}

export function transaction(fields: Readonly<Record<string, unknown>> = {}): Content {
  return { kind: 'transaction', ...manager(), amount: '1000000', destination: OTHER, ...fields };
}

export function call(entrypoint: string, value: unknown, fields: Readonly<Record<string, unknown>> = {}) {
  return transaction({
    amount: '0',
    destination: CONTRACT,
    parameters: { entrypoint, value },
    ...fields,
  });
}

const int = (value: bigint | number) => ({ int: String(value) });
const string = (value: string) => ({ string: value });
const pair = (...args: unknown[]) => ({ prim: 'Pair', args });
export const micheline = { int, string, pair, unit: { prim: 'Unit' } };

/** One operation of every kind that is read. */
export const EVERY_KIND: Readonly<Record<string, Content>> = {
  reveal: { kind: 'reveal', ...manager(), public_key: ACCOUNTS.ed25519.publicKey },
  transaction: transaction(),
  'transaction to a contract': transaction({ destination: CONTRACT }),
  'call with a tagged entrypoint': call('do', [
    { prim: 'DROP' },
    { prim: 'NIL', args: [{ prim: 'operation' }] },
  ]),
  'call with a named entrypoint': call('mint_OR_burn', pair(int(-64), string('to'))),
  'call of the default entrypoint': call('default', int(0)),
  'delegation to another': {
    kind: 'delegation',
    ...manager(),
    delegate: ACCOUNTS['ecdsa-p256-sha256'].address,
  },
  'delegation that ends': { kind: 'delegation', ...manager() },
  origination: {
    kind: 'origination',
    ...manager(),
    balance: '7',
    delegate: TZ4,
    script: {
      code: [
        {
          prim: 'parameter',
          args: [
            {
              prim: 'or',
              args: [
                { prim: 'int', annots: ['%a'] },
                { prim: 'unit', annots: ['%b', ':c'] },
              ],
            },
          ],
        },
        {
          prim: 'storage',
          args: [
            { prim: 'pair', args: [{ prim: 'int' }, { prim: 'nat' }, { prim: 'string' }], annots: ['@x'] },
          ],
        },
        {
          prim: 'code',
          args: [[{ prim: 'CDR' }, { prim: 'NIL', args: [{ prim: 'operation' }] }, { prim: 'PAIR' }]],
        },
      ],
      storage: pair(int(1), int(2n ** 70n), string('a "b"\n')),
    },
  },
  stake: transaction({ destination: SOURCE, parameters: { entrypoint: 'stake', value: micheline.unit } }),
  unstake: transaction({ destination: SOURCE, parameters: { entrypoint: 'unstake', value: micheline.unit } }),
  finalize_unstake: transaction({
    destination: SOURCE,
    amount: '0',
    parameters: { entrypoint: 'finalize_unstake', value: micheline.unit },
  }),
  set_delegate_parameters: transaction({
    destination: SOURCE,
    amount: '0',
    parameters: {
      entrypoint: 'set_delegate_parameters',
      value: pair(int(5_000_000), pair(int(100_000_000), micheline.unit)),
    },
  }),
  register_global_constant: {
    kind: 'register_global_constant',
    ...manager(),
    value: pair({ bytes: '00ff' }, []),
  },
  set_deposits_limit: { kind: 'set_deposits_limit', ...manager(), limit: '9' },
  'set_deposits_limit without one': { kind: 'set_deposits_limit', ...manager() },
  increase_paid_storage: { kind: 'increase_paid_storage', ...manager(), amount: '10', destination: CONTRACT },
  update_consensus_key: {
    kind: 'update_consensus_key',
    ...manager(),
    pk: ACCOUNTS['ecdsa-p256-sha256'].publicKey,
  },
  'update_consensus_key of BLS': {
    kind: 'update_consensus_key',
    ...manager(),
    pk: BLS_KEY,
    proof: BLS_SIGNATURE,
  },
  update_companion_key: { kind: 'update_companion_key', ...manager(), pk: BLS_KEY, proof: BLS_SIGNATURE },
  drain_delegate: { kind: 'drain_delegate', consensus_key: SOURCE, delegate: OTHER, destination: OTHER },
  transfer_ticket: {
    kind: 'transfer_ticket',
    ...manager(),
    ticket_contents: string('t'),
    ticket_ty: { prim: 'string' },
    ticket_ticketer: CONTRACT,
    ticket_amount: '5',
    destination: CONTRACT,
    entrypoint: 'default',
  },
  smart_rollup_originate: {
    kind: 'smart_rollup_originate',
    ...manager(),
    pvm_kind: 'wasm_2_0_0',
    kernel: '0061736d',
    parameters_ty: { prim: 'bytes' },
    whitelist: [OTHER, TZ4],
  },
  smart_rollup_add_messages: { kind: 'smart_rollup_add_messages', ...manager(), message: ['01', '0203'] },
  smart_rollup_execute_outbox_message: {
    kind: 'smart_rollup_execute_outbox_message',
    ...manager(),
    rollup: ROLLUP,
    cemented_commitment: 'src12pKjanbHKoSjR7nZQyVUoBtSLvL2RGXH6jFBjZuM3teZ9j4ncF',
    output_proof: 'abcd',
  },
  failing_noop: { kind: 'failing_noop', arbitrary: Buffer.from('a message to nobody').toString('hex') },
  ballot: { kind: 'ballot', source: SOURCE, period: 3, proposal: PROTOCOL, ballot: 'nay' },
  proposals: { kind: 'proposals', source: SOURCE, period: 3, proposals: [PROTOCOL, PROTOCOL] },
};

export function contextOf(
  algorithm: TezosAlgorithm = 'ed25519',
  networks: readonly string[] = ['eip155:1', MAINNET],
): DecodingContext {
  return { algorithm, publicKey: Buffer.from(ACCOUNTS[algorithm].raw, 'hex'), networks, ownKeys: [] };
}

/** Raw bytes of {@link BLS_KEY}, and the account that taquito computes of it. */
export const BLS_RAW = b58DecodePublicKey(BLS_KEY).slice(2);
export const BLS_ACCOUNT = getPkhfromPk(BLS_KEY);

export function blsContext(networks: readonly string[] = [MAINNET]): DecodingContext {
  return {
    algorithm: 'bls12-381-pop',
    publicKey: Buffer.from(BLS_RAW, 'hex'),
    networks,
    ownKeys: [],
  };
}

const forger = new LocalForger();

/** Forges operations by taquito, without a first byte: branch and contents in hex. */
export function forge(...contents: readonly Content[]): Promise<string> {
  return forger.forge({ branch: BRANCH, contents } as never);
}

export const operation = (forged: string) => ({ kind: 'tezos-operation', operation: `03${forged}` }) as const;
export const data = (hex: string) => ({ kind: 'tezos-data', data: hex }) as const;
export const consensus = (hex: string) => ({ kind: 'tezos-consensus', operation: hex }) as const;

/** Decodes operations that taquito forged. */
export async function decodeForged(...contents: readonly Content[]) {
  return decodeTezos(operation(await forge(...contents)), contextOf());
}

/** Says how the decoder takes an operation: `accepted`, or a code. Anything but a code of its own is thrown on. */
export function outcomeOf(hex: string, context = contextOf()): string {
  return outcome(() => decodeTezos({ kind: 'tezos-operation', operation: hex }, context));
}

export function outcome(run: () => unknown): string {
  try {
    run();
    return 'accepted';
  } catch (error) {
    if (error instanceof TransactionError) return error.code;
    throw error;
  }
}
