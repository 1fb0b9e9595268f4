import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { describe, expect, it } from 'vitest';
import {
  addressOf,
  bitcoinJsDigest,
  decode,
  digestOf,
  editPsbt,
  type Form,
  FORMS,
  hex,
  MAINNET,
  makePsbt,
  makeTransaction,
  scureDigest,
  type SigningAlgorithm,
  type Spec,
} from './support.ts';

const ASSET = `${MAINNET}/slip44:0`;
const RECIPIENT = FORMS['foreign-p2wpkh'];
const OWN: readonly { form: Form; algorithm: SigningAlgorithm }[] = [
  { form: 'p2wpkh', algorithm: 'ecdsa-secp256k1' },
  { form: 'multisig', algorithm: 'ecdsa-secp256k1' },
  { form: 'p2tr', algorithm: 'bip340' },
  { form: 'p2tr', algorithm: 'frost-secp256k1-taproot' },
  { form: 'p2tr-tree', algorithm: 'bip340' },
];

const pay = (form: Form, { change = 38_000n, paid = 60_000n } = {}): Spec => ({
  inputs: [
    { form, amount: 50_000n },
    { form, amount: 50_000n },
  ],
  outputs: [
    { script: RECIPIENT.script, amount: paid },
    { script: FORMS[form].script, amount: change },
  ],
});

describe.each(OWN)('a payment from $form with $algorithm', ({ form, algorithm }) => {
  it.each([0, 2] as const)('is a transfer, change and a fee in a PSBT of version %i', (version) => {
    const { transaction, signings } = decode(makePsbt(pay(form), version), algorithm);
    expect(transaction).toMatchObject({
      kind: 'bitcoin-transaction',
      network: MAINNET,
      source: addressOf(form),
      fee: { asset: ASSET, amount: 2000n },
      nonce: null,
      gas: null,
      features: [],
      details: { change: '38000', changeOutputs: '1', ownAmount: '100000', psbtVersion: String(version) },
    });
    expect(transaction.effects).toEqual([
      {
        type: 'transfer',
        to: addressOf('foreign-p2wpkh'),
        asset: ASSET,
        amount: 60_000n,
        contract: null,
        selector: null,
        details: { output: '0', script: 'p2wpkh' },
      },
    ]);
    expect(signings.map(({ index }) => index)).toEqual([0, 1]);
  });

  const types = form.startsWith('p2tr')
    ? [undefined, 0, 1, 2, 3, 0x81, 0x82, 0x83]
    : [undefined, 1, 2, 3, 0x81, 0x82, 0x83];
  it.each(types)('is hashed as scure and bitcoinjs-lib do for sighash type %s', (sighashType) => {
    const spec = pay(form);
    const inputs = spec.inputs.map((input) => ({
      ...input,
      ...(sighashType !== undefined && { sighashType }),
    }));
    const typed = { ...spec, inputs };
    const transaction = makeTransaction(typed);
    const decoded = decode(transaction.toPSBT(), algorithm);
    for (const index of [0, 1]) {
      const digest = digestOf(decoded, index);
      expect(digest).toBe(scureDigest(transaction, typed, index));
      expect(digest).toBe(bitcoinJsDigest(transaction.unsignedTx, typed, index));
    }
  });
});

describe('features of sighash types', () => {
  const features = (sighashType: number) => {
    const spec = pay('p2wpkh');
    const inputs = spec.inputs.map((input) => ({ ...input, sighashType }));
    return decode(makePsbt({ ...spec, inputs })).transaction;
  };
  it.each([
    [1, []],
    [2, ['bitcoin:sighash-none']],
    [3, ['bitcoin:sighash-single']],
    [0x81, ['bitcoin:sighash-anyone-can-pay']],
    [0x82, ['bitcoin:sighash-anyone-can-pay', 'bitcoin:sighash-none']],
    [0x83, ['bitcoin:sighash-anyone-can-pay', 'bitcoin:sighash-single']],
  ])('of type %i are %j', (type, expected) => {
    expect(features(type).features).toEqual(expected);
  });

  it.each([2, 3, 0x82, 0x83])('of type %i come with the amounts that anybody may send elsewhere', (type) => {
    const open = features(type).effects.filter((effect) => effect.type === 'unknown');
    expect(open.map(({ to, amount }) => ({ to, amount }))).toEqual([
      { to: null, amount: 50_000n },
      { to: null, amount: 50_000n },
    ]);
  });

  it('are none for ALL on taproot, whose signature is one byte longer', () => {
    const spec = pay('p2tr');
    const inputs = spec.inputs.map((input) => ({ ...input, sighashType: 1 }));
    expect(decode(makePsbt({ ...spec, inputs }), 'bip340').transaction.features).toEqual([]);
  });
});

describe('change', () => {
  it('is no output to a multisig that is spent beside the key alone', () => {
    // A requester who shares a multisig with the key would otherwise have all but the dust sent there, unseen.
    const { transaction } = decode(
      makePsbt({
        inputs: [
          { form: 'p2wpkh', amount: 1_000_000n },
          { form: 'multisig', amount: 1000n },
        ],
        outputs: [{ script: FORMS.multisig.script, amount: 1_000_000n }],
      }),
    );
    expect(transaction.effects).toMatchObject([
      { type: 'transfer', to: addressOf('multisig'), amount: 1_000_000n },
    ]);
    expect(transaction.effects[0]?.details).not.toHaveProperty('self');
    expect(transaction.details).toMatchObject({ change: '0', changeOutputs: '' });
  });

  it('is no output to an output key whose scripts others may know, spent beside the key alone', () => {
    const { transaction } = decode(
      makePsbt({
        inputs: [
          { form: 'p2tr', amount: 1_000_000n },
          { form: 'p2tr-tree', amount: 1000n },
        ],
        outputs: [{ script: FORMS['p2tr-tree'].script, amount: 1_000_000n }],
      }),
      'bip340',
    );
    expect(transaction.effects).toMatchObject([
      { type: 'transfer', to: addressOf('p2tr-tree'), amount: 1_000_000n },
    ]);
    expect(transaction.details).toMatchObject({ changeOutputs: '' });
  });

  it.each(['p2wpkh', 'p2tr'] as const)(
    'is no output to the key in another form: %s from a multisig',
    (form) => {
      const { transaction } = decode(
        makePsbt({
          inputs: [{ form: 'multisig', amount: 50_000n }],
          outputs: [{ script: FORMS[form].script, amount: 49_000n }],
        }),
      );
      expect(transaction.effects).toMatchObject([{ type: 'transfer', to: addressOf(form), amount: 49_000n }]);
    },
  );

  it('alone is one transfer to the key itself, of the largest output', () => {
    const { transaction } = decode(
      makePsbt({
        inputs: [{ form: 'p2wpkh', amount: 50_000n }],
        outputs: [10_000n, 30_000n, 5000n].map((amount) => ({ script: FORMS.p2wpkh.script, amount })),
      }),
    );
    expect(transaction.effects).toMatchObject([
      {
        type: 'transfer',
        to: addressOf('p2wpkh'),
        amount: 30_000n,
        details: { output: '1', self: 'true' },
      },
    ]);
    expect(transaction.details).toMatchObject({ change: '45000', changeOutputs: '0,1,2' });
    expect(transaction.fee?.amount).toBe(5000n);
  });
});

describe('inputs of others', () => {
  it('are a feature, and are not signed', () => {
    const { transaction, signings } = decode(
      makePsbt({
        inputs: [
          { form: 'foreign-p2wpkh', amount: 70_000n },
          { form: 'p2wpkh', amount: 50_000n },
          { form: 'foreign-p2pkh', amount: 10_000n },
        ],
        outputs: [
          { script: RECIPIENT.script, amount: 100_000n },
          { script: FORMS.p2wpkh.script, amount: 20_000n },
        ],
      }),
    );
    expect(transaction.features).toEqual(['bitcoin:foreign-input']);
    expect(signings.map(({ index }) => index)).toEqual([1]);
    expect(transaction.fee?.amount).toBe(10_000n);
    expect(transaction.details).toMatchObject({ ownAmount: '50000', ownInputs: '1', inputs: '3' });
  });

  it('of taproot need no previous transaction where the signature commits to their amounts', () => {
    const spec: Spec = {
      inputs: [
        { form: 'p2tr', amount: 50_000n },
        { form: 'foreign-p2tr', amount: 50_000n },
      ],
      outputs: [{ script: RECIPIENT.script, amount: 90_000n }],
    };
    expect(decode(makePsbt(spec), 'bip340').transaction.features).toEqual(['bitcoin:foreign-input']);
  });
});

describe('outputs', () => {
  const paying = (script: string) =>
    decode(
      makePsbt({
        inputs: [{ form: 'p2wpkh', amount: 50_000n }],
        outputs: [{ script: hexToBytes(script), amount: 40_000n }],
      }),
    ).transaction;
  const key = bytesToHex(FORMS['foreign-p2tr'].script.subarray(2));

  it('of OP_RETURN have an unknown effect, and their first bytes', () => {
    expect(paying(`6a20${key}`)).toMatchObject({
      features: [],
      effects: [{ type: 'unknown', to: null, amount: 40_000n, details: { bytes: '34', data: `6a20${key}` } }],
    });
    expect(paying(`6a4c80${'ab'.repeat(128)}`).effects[0]?.details['data']).toHaveLength(80);
  });

  it.each([
    ['a bare key', `2102${key}ac`],
    ['a bare multisig', `512102${key}51ae`],
    ['anybody', '51'],
    ['nothing', ''],
    ['a program of version 0 that nobody can spend', '00020102'],
  ])('to %s have no address', (_, script) => {
    expect(paying(script)).toMatchObject({
      features: ['bitcoin:nonstandard-output'],
      effects: [{ type: 'transfer', to: null, amount: 40_000n }],
    });
  });

  it.each([
    ['51024e73', 'bc1pfeessrawgf'],
    ['5210751e76e8199196d454941c45d1b3a323', 'bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs'],
    ['6002751e', 'bc1sw50qgdz25j'],
  ])('to a program that has no meaning yet are a feature: %s', (script, address) => {
    expect(paying(script)).toMatchObject({
      features: ['bitcoin:unknown-witness-program'],
      effects: [{ type: 'transfer', to: address }],
    });
  });
});

describe('networks', () => {
  it.each([
    ['000000000933ea01ad0ee984209779ba', 'tb1'],
    ['00000000da84f2bafbbc53dee25a72ae', 'tb1'],
    ['00000008819873e925422c1ff0f99f7c', 'tb1'],
    ['0f9188f13cb7b2c71f2a335e3a4fc328', 'bcrt1'],
  ])('of bip122:%s have addresses of their own, and a coin without worth', (id, prefix) => {
    const { transaction } = decode(makePsbt(pay('p2wpkh')), 'ecdsa-secp256k1', [`bip122:${id}`]);
    expect(transaction.network).toBe(`bip122:${id}`);
    expect(transaction.effects[0]?.asset).toBe(`bip122:${id}/slip44:1`);
    expect(transaction.effects[0]?.to?.startsWith(`${prefix}q`)).toBe(true);
  });
});

describe('other facts', () => {
  it('are whether it may be replaced, its lock time and its version', () => {
    const spec = { ...pay('p2wpkh'), version: 3, lockTime: 800_000 } as const;
    expect(decode(makePsbt(spec, 2)).transaction.details).toMatchObject({
      version: '3',
      lockTime: '800000',
      isReplaceable: 'true',
    });
    const inputs = spec.inputs.map((input) => ({ ...input, sequence: 0xffff_fffe }));
    expect(decode(makePsbt({ ...spec, inputs })).transaction.details['isReplaceable']).toBe('false');
  });

  it.each([
    ['proprietary', 'fc05686f6c6466'],
    ['of a type that has no name', '7f'],
  ])('in fields that nobody reads are a feature: %s', (_, key) => {
    for (const map of ['global', 'input', 'output'] as const) {
      const psbt = editPsbt(makePsbt(pay('p2wpkh')), 2, (maps) => {
        const target = map === 'global' ? maps.global : map === 'input' ? maps.inputs[0] : maps.outputs[0];
        target?.push([key, '01']);
      });
      expect(decode(psbt).transaction.features).toEqual(['bitcoin:unknown-field']);
    }
  });

  it('in scripts of a tree beside the key path are a feature', () => {
    const psbt = editPsbt(makePsbt(pay('p2tr-tree')), 2, ({ inputs }) => {
      inputs[0]?.push([`15c0${'ab'.repeat(32)}`, '51c0']);
    });
    expect(decode(psbt, 'bip340').transaction.features).toEqual(['bitcoin:script-path']);
  });

  it('are signed whatever the order of fields, and with signatures of others', () => {
    const reordered = editPsbt(makePsbt(pay('multisig')), 2, ({ inputs }) => {
      inputs[0]?.reverse();
    });
    expect(decode(reordered).signings).toHaveLength(2);
    const signed = editPsbt(makePsbt(pay('multisig')), 2, ({ inputs }) => {
      inputs[0]?.push([`02${bytesToHex(OTHER)}`, `30060201010201${hex(1, 1)}01`]);
    });
    expect(decode(signed).signings).toHaveLength(2);
  });
});

const OTHER = FORMS.multisig.witnessScript?.subarray(2, 35) ?? new Uint8Array(0);
