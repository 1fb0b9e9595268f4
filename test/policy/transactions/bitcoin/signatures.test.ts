import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import { initEccLib, Psbt as BitcoinJsPsbt } from 'bitcoinjs-lib';
import * as ecc from '@bitcoinerlab/secp256k1';
import * as scure from '@scure/btc-signer';
import { describe, expect, it } from 'vitest';
import { addSignatures, type InputSignature } from '../../../../policy/transactions/bitcoin/index.ts';
import { createNobleCurves } from '../../../../local/noble-curves.ts';
import { findPsbtReader } from './psbt-reader.ts';
import {
  codeOf,
  decode,
  editPsbt,
  type Form,
  FORMS,
  hex,
  makePsbt,
  OTHER_SECRET,
  PUBLIC_KEY,
  SECRET,
  type SigningAlgorithm,
  type Spec,
  splitPsbt,
} from './support.ts';

initEccLib(ecc);
const reader = findPsbtReader();
const OWN: readonly { form: Form; algorithm: SigningAlgorithm }[] = [
  { form: 'p2wpkh', algorithm: 'ecdsa-secp256k1' },
  { form: 'multisig', algorithm: 'ecdsa-secp256k1' },
  { form: 'p2tr', algorithm: 'bip340' },
  { form: 'p2tr-tree', algorithm: 'bip340' },
];
const TYPES = [undefined, 1, 2, 3, 0x81, 0x82, 0x83];
const CASES = OWN.flatMap((own) => TYPES.map((sighashType) => ({ ...own, sighashType })));

const makeSpec = (form: Form, sighashType?: number): Spec => ({
  inputs: [50_000n, 60_000n].map((amount) => ({
    form,
    amount,
    ...(sighashType !== undefined && { sighashType }),
  })),
  outputs: [
    { script: FORMS['foreign-p2wpkh'].script, amount: 40_000n },
    { script: FORMS[form].script, amount: 69_000n },
  ],
});

/** Signs what a PSBT asks for, as a node does. */
function sign(psbt: Uint8Array, algorithm: SigningAlgorithm): InputSignature[] {
  const key = createNobleCurves().holdSecp256k1(SECRET);
  if (key === undefined) throw new RangeError('no key');
  return decode(psbt, algorithm).signings.map(({ index = 0, input }) => {
    if (input.kind === 'message') throw new RangeError('a message');
    const signature =
      input.kind === 'digest'
        ? key.signEcdsa(input.digest).signature
        : key.signTaproot(input.digest, new Uint8Array(32), input.merkleRoot).signature;
    return { index, publicKey: PUBLIC_KEY, signature };
  });
}

/** Has the other of two keys sign a multisig, with scure. */
function cosign(psbt: Uint8Array, form: Form): Uint8Array {
  if (form !== 'multisig') return psbt;
  const transaction = scure.Transaction.fromPSBT(psbt, OPTIONS);
  transaction.sign(OTHER_SECRET, [1, 2, 3, 0x81, 0x82, 0x83]);
  return transaction.toPSBT(transaction.opts.PSBTVersion);
}
const OPTIONS = {
  allowUnknownInputs: true,
  allowUnknownOutputs: true,
  allowLegacyWitnessUtxo: true,
  lowR: false,
};

describe.each(CASES)('signatures of $form, type $sighashType', ({ form, algorithm, sighashType }) => {
  const spec = makeSpec(form, sighashType);

  it.each([0, 2] as const)('finish a PSBT of version %i with scure', (version) => {
    const psbt = cosign(makePsbt(spec, version), form);
    const signed = addSignatures(psbt, sign(psbt, algorithm));
    const transaction = scure.Transaction.fromPSBT(signed, OPTIONS);
    transaction.finalize();
    expect(transaction.isFinal).toBe(true);
    if (reader === undefined) return;
    const spent = spec.inputs.map(({ amount }) => ({ amount, script: FORMS[form].script }));
    expect(reader.verify(transaction.extract(), spent)).toBe('valid');
    // Bitcoin Core's interpreter can refuse, too.
    const [first, ...others] = spent;
    const wrong = [{ script: FORMS[form].script, amount: (first?.amount ?? 0n) + 1n }, ...others];
    expect(reader.verify(transaction.extract(), wrong)).toMatch(/^refused /);
  });

  it('are verified by bitcoinjs-lib', () => {
    const psbt = makePsbt(spec);
    const signed = BitcoinJsPsbt.fromBuffer(addSignatures(psbt, sign(psbt, algorithm)));
    const verify = (key: Uint8Array, digest: Uint8Array, signature: Uint8Array) =>
      key.length === 32 ? ecc.verifySchnorr(digest, key, signature) : ecc.verify(digest, key, signature);
    expect([0, 1].map((index) => signed.validateSignaturesOfInput(index, verify))).toEqual([true, true]);
  });
});

describe.skipIf(reader === undefined)('Bitcoin Core', () => {
  it('takes what bitcoinjs-lib finishes', () => {
    const psbt = makePsbt(makeSpec('p2wpkh'));
    const signed = BitcoinJsPsbt.fromBuffer(addSignatures(psbt, sign(psbt, 'ecdsa-secp256k1')));
    const transaction = signed.finalizeAllInputs().extractTransaction(true).toBuffer();
    const spent = [50_000n, 60_000n].map((amount) => ({ amount, script: FORMS.p2wpkh.script }));
    expect(reader?.verify(transaction, spent)).toBe('valid');
  });
});

describe('adding signatures', () => {
  const psbt = makePsbt(makeSpec('p2wpkh'));
  const signatures = sign(psbt, 'ecdsa-secp256k1');

  it('keeps all other fields', () => {
    const before = splitPsbt(psbt, 2);
    const after = splitPsbt(addSignatures(psbt, signatures), 2);
    expect(after.global).toEqual(before.global);
    expect(after.outputs).toEqual(before.outputs);
    expect(after.inputs.map((map) => map.filter(([key]) => !key.startsWith('02')))).toEqual(before.inputs);
  });

  it('refuses an input that the key has signed', () => {
    const signed = addSignatures(psbt, signatures);
    expect(codeOf(() => addSignatures(signed, signatures))).toBe('TRANSACTION_UNSUPPORTED');
    expect(codeOf(() => decode(signed))).toBe('TRANSACTION_UNSUPPORTED');
  });

  it.each([
    { index: 2, publicKey: PUBLIC_KEY, signature: new Uint8Array(64) },
    { index: 0, publicKey: PUBLIC_KEY.subarray(1), signature: new Uint8Array(64) },
    { index: 0, publicKey: PUBLIC_KEY, signature: new Uint8Array(65) },
  ])('refuses misuse: %j', (signature) => {
    expect(() => addSignatures(psbt, [signature])).toThrow(RangeError);
  });

  it.each([
    {
      r: '00'.repeat(31) + '01',
      s: `80${'00'.repeat(31)}`,
      der: `302602010102210080${'00'.repeat(31)}01`,
    },
    {
      r: `00ff${'11'.repeat(30)}`,
      s: `7f${'11'.repeat(31)}`,
      der: `3044022000ff${'11'.repeat(30)}02207f${'11'.repeat(31)}01`,
    },
  ])('writes $r, $s in DER', ({ r, s, der }) => {
    const signature = concatBytes(hexToBytes(r), hexToBytes(s));
    const [map] = splitPsbt(addSignatures(psbt, [{ index: 0, publicKey: PUBLIC_KEY, signature }]), 2).inputs;
    expect(map?.find(([key]) => key === `02${bytesToHex(PUBLIC_KEY)}`)?.[1]).toBe(der);
  });

  it.each([
    [1, 0x00],
    [2, 0x02],
    [3, 0x04],
    [0x81, 0x01],
    [0x82, 0x03],
    [0x83, 0x05],
  ])('after type %i leaves of the flags of what may be changed %i (BIP-370)', (sighashType, expected) => {
    const original = editPsbt(makePsbt(makeSpec('p2wpkh', sighashType), 2), 2, ({ global }) => {
      global.splice(0, global.length, ...global.filter(([key]) => key !== '06'), ['06', hex(3, 1)]);
    });
    const { global } = splitPsbt(addSignatures(original, sign(original, 'ecdsa-secp256k1')), 2);
    expect(global.find(([key]) => key === '06')?.[1]).toBe(hex(expected, 1));
  });
});
