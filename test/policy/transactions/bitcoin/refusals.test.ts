import { bytesToHex } from '@noble/hashes/utils.js';
import { describe, expect, it } from 'vitest';
import { decodePayload } from '../../../../policy/transactions/index.ts';
import {
  codeOf,
  decode,
  editPsbt,
  FORMS,
  hex,
  MAINNET,
  makePrevious,
  makePsbt,
  type Maps,
  OTHER_KEY,
  PUBLIC_KEY,
  type SigningAlgorithm,
  type Spec,
} from './support.ts';

const RECIPIENT = FORMS['foreign-p2wpkh'].script;
const spend = (form: Spec['inputs'][number]['form'], rest: Partial<Spec> = {}): Spec => ({
  inputs: [{ form, amount: 50_000n }],
  outputs: [{ script: RECIPIENT, amount: 40_000n }],
  ...rest,
});
const SEGWIT = makePsbt(spend('p2wpkh'));
const SEGWIT_2 = makePsbt(spend('p2wpkh'), 2);
const TAPROOT = makePsbt(spend('p2tr'));
const MULTISIG = makePsbt(spend('multisig'));

const signature = `30060201010201${hex(1, 1)}01`;
const own = bytesToHex(PUBLIC_KEY);
const other = bytesToHex(OTHER_KEY);
const witnessOutput = (amount: bigint, script: Uint8Array) =>
  hex(amount, 8) + hex(script.length, 1) + bytesToHex(script);

function find(map: [string, string][] | undefined, key: string): [string, string] {
  const pair = map?.find(([name]) => name === key);
  if (pair === undefined) throw new RangeError(`no field ${key}`);
  return pair;
}
const set = (map: [string, string][] | undefined, key: string, value: string) => {
  find(map, key)[1] = value;
};
const remove = (map: [string, string][] | undefined, key: string) => {
  map?.splice(map.indexOf(find(map, key)), 1);
};

interface Refusal {
  readonly name: string;
  readonly code: string;
  readonly base: Uint8Array;
  /** How many it has; one unless said. */
  readonly inputs?: number;
  readonly algorithm?: SigningAlgorithm;
  readonly edit: (maps: Maps) => void;
}

const REFUSALS: readonly Refusal[] = [
  {
    name: 'a segwit v0 input without the transaction that it spends',
    code: 'TRANSACTION_UNSAFE',
    base: SEGWIT,
    edit: ({ inputs }) => {
      remove(inputs[0], '00');
    },
  },
  {
    name: 'an input without any output that it spends',
    code: 'TRANSACTION_UNSAFE',
    base: TAPROOT,
    algorithm: 'bip340',
    edit: ({ inputs }) => {
      remove(inputs[0], '01');
    },
  },
  {
    name: 'a witness output with another amount than the previous transaction',
    code: 'TRANSACTION_UNSAFE',
    base: SEGWIT,
    edit: ({ inputs }) => {
      set(inputs[0], '01', witnessOutput(50_001n, FORMS.p2wpkh.script));
    },
  },
  {
    name: 'a witness output with another script than the previous transaction',
    code: 'TRANSACTION_UNSAFE',
    base: SEGWIT,
    edit: ({ inputs }) => {
      set(inputs[0], '01', witnessOutput(50_000n, RECIPIENT));
    },
  },
  {
    name: 'a previous transaction with another id',
    code: 'TRANSACTION_UNSAFE',
    base: SEGWIT,
    edit: ({ inputs }) => {
      remove(inputs[0], '01');
      set(
        inputs[0],
        '00',
        bytesToHex(makePrevious({ script: FORMS.p2wpkh.script, amount: 60_000n }, 0).bytes),
      );
    },
  },
  {
    name: 'bytes behind a previous transaction',
    code: 'TRANSACTION_MALFORMED',
    base: SEGWIT,
    edit: ({ inputs }) => {
      find(inputs[0], '00')[1] += '00';
    },
  },
  {
    name: 'an output index that the previous transaction has not',
    code: 'TRANSACTION_UNSAFE',
    base: SEGWIT_2,
    edit: ({ inputs }) => {
      set(inputs[0], '0f', hex(7, 4));
    },
  },
  {
    name: 'a key twice',
    code: 'TRANSACTION_MALFORMED',
    base: SEGWIT,
    edit: ({ inputs }) => {
      inputs[0]?.push(find(inputs[0], '01'));
    },
  },
  {
    name: 'a map more than the transaction has inputs and outputs',
    code: 'TRANSACTION_MALFORMED',
    base: SEGWIT,
    edit: ({ outputs }) => {
      outputs.push([]);
    },
  },
  {
    name: 'a map less',
    code: 'TRANSACTION_MALFORMED',
    base: SEGWIT,
    edit: ({ outputs }) => {
      outputs.pop();
    },
  },
  {
    name: 'a key type that is longer than it has to be',
    code: 'TRANSACTION_NOT_CANONICAL',
    base: SEGWIT,
    edit: ({ inputs }) => {
      find(inputs[0], '01')[0] = 'fd0100';
    },
  },
  {
    name: 'a witness output with more bytes behind it',
    code: 'TRANSACTION_MALFORMED',
    base: SEGWIT,
    edit: ({ inputs }) => {
      find(inputs[0], '01')[1] += '00';
    },
  },
  {
    name: 'a version of PSBT that does not exist',
    code: 'TRANSACTION_UNSUPPORTED',
    base: SEGWIT,
    edit: ({ global }) => {
      global.push(['fb', hex(1, 4)]);
    },
  },
  {
    name: 'a message to sign (BIP-322)',
    code: 'TRANSACTION_UNSUPPORTED',
    base: SEGWIT,
    edit: ({ global }) => {
      global.push(['09', '00']);
    },
  },
  {
    name: 'an input that is finalised',
    code: 'TRANSACTION_UNSUPPORTED',
    base: SEGWIT,
    edit: ({ inputs }) => {
      inputs[0]?.push(['08', `02${hex(0x48, 1)}${'00'.repeat(0x48)}21${own}`]);
    },
  },
  {
    name: 'an input that the key has signed',
    code: 'TRANSACTION_UNSUPPORTED',
    base: MULTISIG,
    edit: ({ inputs }) => {
      inputs[0]?.push([`02${own}`, signature]);
    },
  },
  {
    name: 'a taproot input that is signed',
    code: 'TRANSACTION_UNSUPPORTED',
    base: TAPROOT,
    algorithm: 'bip340',
    edit: ({ inputs }) => {
      inputs[0]?.push(['13', 'ab'.repeat(64)]);
    },
  },
  {
    name: 'a signature of a key that cannot sign the input',
    code: 'TRANSACTION_MALFORMED',
    base: SEGWIT,
    edit: ({ inputs }) => {
      inputs[0]?.push([`02${other}`, signature]);
    },
  },
  ...[
    ['that is no DER', 'ab'.repeat(71)],
    ['with a negative number', '300602018102010101'],
    ['with a padded number', '30070202000102010101'],
    ['with bytes left', '30060201010201010001'],
    ['with an unknown sighash type', '300602010102010104'],
  ].map(([what, value = '']): Refusal => ({
    name: `a signature of another ${what}`,
    code: 'TRANSACTION_MALFORMED',
    base: MULTISIG,
    edit: ({ inputs }) => {
      inputs[0]?.push([`02${other}`, value]);
    },
  })),
  {
    name: 'a witness script that is not the one of the output',
    code: 'TRANSACTION_UNSAFE',
    base: MULTISIG,
    edit: ({ inputs }) => {
      set(inputs[0], '05', '51');
    },
  },
  {
    name: 'a redeem script for an output that has none',
    code: 'TRANSACTION_UNSAFE',
    base: SEGWIT,
    edit: ({ inputs }) => {
      inputs[0]?.push(['04', bytesToHex(FORMS.p2wpkh.script)]);
    },
  },
  {
    name: "a taproot output that is not that of the key and root that are given, the key being the signer's",
    code: 'TRANSACTION_UNSAFE',
    base: TAPROOT,
    algorithm: 'bip340',
    edit: ({ inputs }) => {
      inputs[0]?.push(['18', '55'.repeat(32)]);
    },
  },
  ...[
    ['0, which taproot alone has', 0],
    ['4', 4],
    ['0x80', 0x80],
    ['0x101', 0x101],
    ['0x80000001', 0x8000_0001],
  ].map(([what, type]): Refusal => ({
    name: `sighash type ${what}`,
    code: 'TRANSACTION_UNSUPPORTED',
    base: SEGWIT,
    edit: ({ inputs }) => {
      inputs[0]?.push(['03', hex(Number(type), 4)]);
    },
  })),
  {
    name: 'sighash type 0x80 on taproot',
    code: 'TRANSACTION_UNSUPPORTED',
    base: TAPROOT,
    algorithm: 'bip340',
    edit: ({ inputs }) => {
      inputs[0]?.push(['03', hex(0x80, 4)]);
    },
  },
  ...([0, 4, 0xffff_ffff] as const).map((version): Refusal => ({
    name: `version ${version} of the transaction`,
    code: 'TRANSACTION_UNSUPPORTED',
    base: SEGWIT_2,
    edit: ({ global }) => {
      set(global, '02', hex(version, 4));
    },
  })),
  {
    name: 'an output with more than there is',
    code: 'TRANSACTION_UNSAFE',
    base: SEGWIT_2,
    edit: ({ outputs }) => {
      set(outputs[0], '03', hex(2_100_000_000_000_001n, 8));
    },
  },
  {
    name: 'an output with a negative amount',
    code: 'TRANSACTION_UNSAFE',
    base: SEGWIT_2,
    edit: ({ outputs }) => {
      set(outputs[0], '03', 'ff'.repeat(8));
    },
  },
  {
    name: 'outputs with more than the inputs',
    code: 'TRANSACTION_UNSAFE',
    base: SEGWIT_2,
    edit: ({ outputs }) => {
      set(outputs[0], '03', hex(50_001n, 8));
    },
  },
  {
    name: 'an input of a coinbase',
    code: 'TRANSACTION_UNSAFE',
    base: SEGWIT_2,
    edit: ({ inputs }) => {
      set(inputs[0], '0e', '00'.repeat(32));
      set(inputs[0], '0f', 'ff'.repeat(4));
    },
  },
  {
    name: 'no output',
    code: 'TRANSACTION_UNSAFE',
    base: SEGWIT_2,
    edit: (maps) => {
      set(maps.global, '05', '00');
      maps.outputs = [];
    },
  },
  {
    name: 'no input',
    code: 'TRANSACTION_UNSAFE',
    base: SEGWIT_2,
    edit: (maps) => {
      set(maps.global, '04', '00');
      maps.inputs = [];
    },
  },
  {
    name: 'the same outpoint twice',
    code: 'TRANSACTION_UNSAFE',
    base: SEGWIT_2,
    edit: (maps) => {
      set(maps.global, '04', '02');
      maps.inputs.push(maps.inputs[0] ?? []);
    },
  },
  {
    name: 'more inputs than the limit',
    code: 'TRANSACTION_TOO_LARGE',
    base: SEGWIT_2,
    edit: ({ global }) => {
      set(global, '04', '81');
    },
  },
  {
    name: 'more fields than the limit',
    code: 'TRANSACTION_TOO_LARGE',
    base: SEGWIT,
    edit: ({ global }) => {
      for (let index = 0; index < 8192; index += 1) global.push([`fc${hex(index, 2)}`, '']);
    },
  },
  {
    name: 'lock times of both kinds',
    inputs: 2,
    code: 'TRANSACTION_UNSAFE',
    base: makePsbt(
      {
        inputs: [
          { form: 'p2wpkh', amount: 50_000n },
          { form: 'p2wpkh', amount: 50_000n },
        ],
        outputs: [{ script: RECIPIENT, amount: 40_000n }],
      },
      2,
    ),
    edit: ({ inputs }) => {
      inputs[0]?.push(['11', hex(1_700_000_000, 4)]);
      inputs[1]?.push(['12', hex(800_000, 4)]);
    },
  },
];

describe('the decoder refuses', () => {
  it.each(REFUSALS)('$name', ({ code, base, inputs = 1, algorithm, edit }) => {
    expect(decode(base, algorithm).signings.length).toBeGreaterThan(0);
    expect(codeOf(() => decode(editPsbt(base, inputs, edit), algorithm))).toBe(code);
  });

  it('an input that is not of the key', () => {
    expect(codeOf(() => decode(makePsbt(spend('foreign-p2wpkh'))))).toBe('TRANSACTION_KEY_MISMATCH');
  });

  it('a key of another curve', () => {
    expect(codeOf(() => decode(SEGWIT, 'ed25519' as SigningAlgorithm))).toBe('TRANSACTION_KEY_MISMATCH');
  });

  it.each(['ecdsa-secp256k1', 'bip340', 'frost-secp256k1-taproot'] as const)(
    'to sign half: inputs of both kinds with %s',
    (algorithm) => {
      const psbt = makePsbt(
        spend('p2wpkh', {
          inputs: [
            { form: 'p2wpkh', amount: 50_000n },
            { form: 'p2tr', amount: 50_000n },
          ],
        }),
      );
      expect(codeOf(() => decode(psbt, algorithm))).toBe('TRANSACTION_UNSUPPORTED');
    },
  );

  it('an input that pays to the hash of the key by the old rules', () => {
    const inputs = [
      { form: 'p2wpkh', amount: 50_000n },
      { form: 'p2pkh', amount: 50_000n },
    ] as const;
    expect(codeOf(() => decode(makePsbt(spend('p2wpkh', { inputs }))))).toBe('TRANSACTION_UNSUPPORTED');
  });

  it('an input of nothing, as a message by BIP-322 has', () => {
    const psbt = makePsbt({
      inputs: [{ form: 'p2tr', amount: 0n }],
      outputs: [{ script: Uint8Array.of(0x6a), amount: 0n }],
    });
    expect(codeOf(() => decode(psbt, 'bip340'))).toBe('TRANSACTION_UNSUPPORTED');
  });

  it.each(['ecdsa-secp256k1', 'bip340'] as const)(
    'an amount of an input of others that %s does not commit to',
    (algorithm) => {
      const form = algorithm === 'bip340' ? 'p2tr' : 'p2wpkh';
      const sighash = algorithm === 'bip340' ? { sighashType: 0x81 } : {};
      const psbt = makePsbt(
        spend('p2wpkh', {
          inputs: [
            { form, amount: 50_000n, ...sighash },
            { form: 'foreign-p2tr', amount: 50_000n },
          ],
        }),
      );
      expect(codeOf(() => decode(psbt, algorithm))).toBe('TRANSACTION_UNSAFE');
    },
  );

  it.each([3, 0x83])('type %i where there is no output of the same index', (sighashType) => {
    for (const [form, algorithm] of [
      ['p2wpkh', 'ecdsa-secp256k1'],
      ['p2tr', 'bip340'],
    ] as const) {
      const inputs = [
        { form, amount: 50_000n },
        { form, amount: 50_000n, sighashType },
      ];
      expect(codeOf(() => decode(makePsbt(spend(form, { inputs })), algorithm))).toBe('TRANSACTION_UNSAFE');
    }
  });

  it.each([
    { networks: [] },
    { networks: ['eip155:1'] },
    { networks: [MAINNET, 'bip122:0f9188f13cb7b2c71f2a335e3a4fc328'] },
  ])('a key of these networks: $networks', ({ networks }) => {
    expect(codeOf(() => decode(SEGWIT, 'ecdsa-secp256k1', networks))).toBe('TRANSACTION_NETWORK_MISMATCH');
  });

  it('a network of another coin', () => {
    const networks = ['bip122:12a765e31ffd4059bada1e25190f6e98'];
    expect(codeOf(() => decode(SEGWIT, 'ecdsa-secp256k1', networks))).toBe('TRANSACTION_UNSUPPORTED');
  });

  it.each([
    ['white space', (text: string) => `${text}\n`, 'TRANSACTION_NOT_CANONICAL'],
    ['no padding', (text: string) => text.replace(/=+$/, ''), 'TRANSACTION_NOT_CANONICAL'],
    ['more than the limit', (text: string) => text + 'AAAA'.repeat(50_000), 'TRANSACTION_TOO_LARGE'],
  ])('base64 with %s', (_, edit, code) => {
    const text = Buffer.from(
      Uint8Array.of(...SEGWIT, ...new Uint8Array(3 - (SEGWIT.length % 3) + 1)),
    ).toString('base64');
    const context = { algorithm: 'ecdsa-secp256k1', publicKey: PUBLIC_KEY, networks: [MAINNET], ownKeys: [] };
    expect(codeOf(() => decodePayload({ kind: 'bitcoin-transaction', psbt: edit(text) }, context))).toBe(
      code,
    );
  });

  it('more effects than an entry of the log holds', () => {
    const psbt = makePsbt({
      inputs: [{ form: 'p2wpkh', amount: 500_000n, sighashType: 2 }],
      outputs: Array.from({ length: 128 }, (_, index) => ({ script: RECIPIENT, amount: BigInt(index) })),
    });
    expect(codeOf(() => decode(psbt))).toBe('TRANSACTION_TOO_LARGE');
  });
});
