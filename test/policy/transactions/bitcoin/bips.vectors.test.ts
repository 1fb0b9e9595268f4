import { readFileSync } from 'node:fs';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { describe, expect, it } from 'vitest';
import { createKeyScripts } from '../../../../policy/transactions/bitcoin/own-inputs.ts';
import { parsePsbt, serialisePsbt } from '../../../../policy/transactions/bitcoin/psbt.ts';
import { parseUnsignedTransaction } from '../../../../policy/transactions/bitcoin/raw-transaction.ts';
import { createSighashComputer } from '../../../../policy/transactions/bitcoin/sighash.ts';
import { assertAmounts, resolveSpentOutputs } from '../../../../policy/transactions/bitcoin/spent-outputs.ts';
import { TransactionError } from '../../../../policy/transactions/index.ts';
import { codeOf } from './support.ts';

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../vectors/bitcoin/${name}.json`, import.meta.url), 'utf8'));

interface PsbtVector {
  readonly bip: number;
  readonly name: string;
  readonly psbt: string;
  readonly expected: 'valid' | 'invalid' | 'unsafe' | 'lockTime';
  readonly lockTime?: number | null;
}
const vectors = (read('psbt') as PsbtVector[]).map((vector) => ({
  ...vector,
  bytes: hexToBytes(vector.psbt),
}));
const select = (expected: PsbtVector['expected']) => vectors.filter((vector) => vector.expected === expected);

describe('PSBTs of BIP-174, 370 and 371', () => {
  it('are all there', () => {
    expect(['valid', 'invalid', 'unsafe', 'lockTime'].map((name) => select(name as 'valid').length)).toEqual([
      30, 55, 4, 10,
    ]);
  });

  it.each(select('valid'))('reads BIP-$bip: $name', ({ bytes }) => {
    expect(bytesToHex(serialisePsbt(parsePsbt(bytes)))).toBe(bytesToHex(bytes));
  });

  it.each(select('invalid'))('refuses BIP-$bip: $name', ({ bytes }) => {
    expect(codeOf(() => parsePsbt(bytes))).toMatch(/^TRANSACTION_(MALFORMED|NOT_CANONICAL)$/);
  });

  it.each(select('unsafe'))("refuses what fails a signer's checks: $name", ({ bytes }) => {
    const psbt = parsePsbt(bytes);
    const resolve = () => {
      assertAmounts(resolveSpentOutputs(psbt), { own: new Set(), areAllCommitted: false });
    };
    expect(codeOf(resolve)).toBe('TRANSACTION_UNSAFE');
  });

  it.each(select('lockTime'))('computes the lock time: $name', ({ bytes, lockTime }) => {
    if (lockTime === null) {
      expect(codeOf(() => parsePsbt(bytes))).toBe('TRANSACTION_UNSAFE');
    } else {
      expect(parsePsbt(bytes).transaction.lockTime).toBe(lockTime);
    }
  });

  it.each(select('valid'))('refuses every prefix of BIP-$bip: $name', ({ bytes }) => {
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => parsePsbt(bytes.subarray(0, length))).toThrow(TransactionError);
    }
    expect(codeOf(() => parsePsbt(Uint8Array.of(...bytes, 0)))).toBe('TRANSACTION_MALFORMED');
  });
});

interface Bip143Vector {
  readonly name: string;
  readonly transaction: string;
  readonly index: number;
  readonly amount: string;
  readonly scriptCode: string;
  readonly hashType: number;
  readonly sighash: string;
}

describe('BIP-143', () => {
  it.each(read('bip143') as Bip143Vector[])('hashes $name', (vector) => {
    const transaction = parseUnsignedTransaction(hexToBytes(vector.transaction));
    const output = { amount: BigInt(vector.amount), script: new Uint8Array(0) };
    const computer = createSighashComputer(
      transaction,
      transaction.inputs.map(() => output),
    );
    const digest = computer.computeV0(vector.index, hexToBytes(vector.scriptCode), vector.hashType);
    expect(bytesToHex(digest)).toBe(vector.sighash);
  });
});

interface Bip341Vectors {
  readonly given: {
    readonly rawUnsignedTx: string;
    readonly utxosSpent: readonly { readonly scriptPubKey: string; readonly amountSats: number }[];
  };
  readonly inputSpending: readonly {
    readonly given: {
      readonly txinIndex: number;
      readonly merkleRoot: string | null;
      readonly hashType: number;
    };
    readonly intermediary: { readonly internalPubkey: string; readonly sigHash: string };
  }[];
}
const { given, inputSpending } = read('bip341') as Bip341Vectors;
const spent = given.utxosSpent.map(({ scriptPubKey, amountSats }) => ({
  script: hexToBytes(scriptPubKey),
  amount: BigInt(amountSats),
}));

describe('BIP-341', () => {
  const transaction = parseUnsignedTransaction(hexToBytes(given.rawUnsignedTx));
  const computer = createSighashComputer(transaction, spent);

  it.each(inputSpending)('hashes input $given.txinIndex with type $given.hashType', (vector) => {
    const digest = computer.computeTaproot(vector.given.txinIndex, vector.given.hashType);
    expect(bytesToHex(digest)).toBe(vector.intermediary.sigHash);
  });

  it.each(inputSpending)('makes the output of input $given.txinIndex', (vector) => {
    const { internalPubkey } = vector.intermediary;
    const key = createKeyScripts(hexToBytes(`02${internalPubkey}`));
    const script = key.p2tr(hexToBytes(vector.given.merkleRoot ?? ''));
    expect(bytesToHex(script)).toBe(given.utxosSpent[vector.given.txinIndex]?.scriptPubKey);
  });
});
