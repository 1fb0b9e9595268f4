import { createHash } from 'node:crypto';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import * as scure from '@scure/btc-signer';
import { type DecodedPayload, TransactionError } from '../../policy/transactions/index.ts';
import type { RustReading } from '../policy/transactions/bitcoin/psbt-reader.ts';
import {
  decode,
  digestOf,
  type Form,
  FORMS,
  hex,
  joinPsbt,
  makePsbt,
  type Maps,
  type SigningAlgorithm,
  type Spec,
  splitPsbt,
} from '../policy/transactions/bitcoin/support.ts';

const SEGWIT: readonly Form[] = ['p2wpkh', 'multisig', 'p2wpkh', 'foreign-p2wpkh', 'foreign-p2pkh'];
const TAPROOT: readonly Form[] = ['p2tr', 'p2tr-tree', 'p2tr', 'foreign-p2wpkh', 'foreign-p2tr'];
const TYPES = [undefined, undefined, undefined, 1, 1, 2, 3, 0x81, 0x82, 0x83];
const LOCK_TIMES = [0, 1, 800_000, 499_999_999, 500_000_000, 1_700_000_000, 0xffff_ffff];
const SEQUENCES = [0xffff_ffff, 0xffff_fffe, 0xffff_fffd, 0, 144];

/** Source of numbers that a seed decides, so that any case can be had again by itself. */
export class Draw {
  readonly #seed: string;
  #count = 0;

  constructor(seed: string) {
    this.#seed = seed;
  }

  bytes(): Buffer {
    this.#count += 1;
    return createHash('sha256').update(`${this.#seed}/${this.#count}`).digest();
  }

  below(limit: number): number {
    return this.bytes().readUIntBE(0, 6) % limit;
  }

  from<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined && items.length === 0) throw new RangeError('nothing to draw from');
    return item as T;
  }
}

/** A PSBT to read, and what is known of it. */
export interface Case {
  readonly psbt: Uint8Array;
  readonly algorithm: SigningAlgorithm;
  /** Whether it is as scure wrote it; otherwise something in it was changed. */
  readonly isOriginal: boolean;
}

/** Draws a PSBT that scure writes, and, but for each fourth case, changes it. */
export function drawCase(seed: string, number: number): Case {
  const draw = new Draw(`${seed}/${number}`);
  const isTaproot = draw.below(2) === 1;
  const algorithm = isTaproot ? draw.from(['bip340', 'frost-secp256k1-taproot'] as const) : 'ecdsa-secp256k1';
  const spec = drawSpec(draw, isTaproot);
  const version = draw.from([0, 2] as const);
  const psbt = withLockTimes(draw, makePsbt(spec, version), version, spec.inputs.length);
  if (number % 4 === 0) return { psbt, algorithm, isOriginal: true };
  return { psbt: change(draw, psbt, spec.inputs.length), algorithm, isOriginal: false };
}

function drawSpec(draw: Draw, isTaproot: boolean): Spec {
  const forms = isTaproot ? TAPROOT : SEGWIT;
  const outputCount = 1 + draw.below(4);
  const inputs = Array.from({ length: 1 + draw.below(4) }, (_, index) => {
    const form = index === 0 ? draw.from(forms.slice(0, 3)) : draw.from(forms);
    // An amount of an input of others must be committed to by all that are signed.
    const type = draw.from(TYPES.filter((one) => !isTaproot || one === undefined || one < 0x80));
    const isSingle = type !== undefined && type % 0x80 === 3;
    const sighashType = isSingle && index >= outputCount ? undefined : type;
    return {
      form,
      amount: 1_000_000n + BigInt(draw.below(1_000_000_000)),
      ...(sighashType !== undefined && { sighashType }),
      sequence: draw.from(SEQUENCES),
    };
  });
  const scripts = [
    ...Object.values(FORMS).map(({ script }) => script),
    hexToBytes('6a0568656c6c6f'),
    hexToBytes('51024e73'),
    hexToBytes('51'),
  ];
  const outputs = Array.from({ length: outputCount }, () => ({
    script: draw.from(scripts),
    amount: BigInt(draw.below(200_000)),
  }));
  return { inputs, outputs, version: draw.from([1, 2, 3]), lockTime: draw.from(LOCK_TIMES) };
}

/** Adds lock times that inputs of version 2 require, of kinds that go together. */
function withLockTimes(draw: Draw, psbt: Uint8Array, version: 0 | 2, count: number): Uint8Array {
  if (version === 0 || draw.below(2) === 0) return psbt;
  const maps = splitPsbt(psbt, count);
  const kind = draw.from(['11', '12', 'both']);
  for (const map of maps.inputs) {
    if (draw.below(2) === 0) continue;
    if (kind !== '12') map.push(['11', hex(500_000_000 + draw.below(1_000_000_000), 4)]);
    if (kind !== '11') map.push(['12', hex(1 + draw.below(499_999_999), 4)]);
  }
  return joinPsbt(maps);
}

function change(draw: Draw, psbt: Uint8Array, inputs: number): Uint8Array {
  const place = draw.below(psbt.length);
  const byte = draw.below(256);
  const kind = draw.below(8);
  if (kind === 0) return psbt.with(place, byte);
  if (kind === 1) return Uint8Array.from([...psbt.subarray(0, place), ...psbt.subarray(place + 1)]);
  if (kind === 2) return Uint8Array.from([...psbt.subarray(0, place), byte, ...psbt.subarray(place)]);
  const maps = splitPsbt(psbt, inputs);
  const changes = 1 + draw.below(2);
  for (let count = 0; count < changes; count += 1) changeMaps(draw, maps);
  return joinPsbt(maps);
}

/** Changes something that leaves the frame of the PSBT whole. */
function changeMaps(draw: Draw, maps: Maps): void {
  const all = [maps.global, ...maps.inputs, ...maps.outputs].filter((map) => map.length > 0);
  const map = draw.from(all);
  const field = map[draw.below(map.length)];
  if (field === undefined) return;
  const value = hexToBytes(field[1]);
  const place = draw.below(Math.max(1, value.length));
  const types = [
    '02',
    '03',
    '04',
    '05',
    '06',
    '0a',
    '13',
    '14',
    '15',
    '16',
    '17',
    '18',
    '1a',
    '7f',
    'fb',
    'fc',
  ];
  const actions: readonly (() => void)[] = [
    () => {
      if (value.length > 0) field[1] = bytesToHex(value.with(place, draw.below(256)));
    },
    () => {
      field[1] = field[1].slice(0, -2);
    },
    () => {
      field[1] += hex(draw.below(256), 1);
    },
    () => {
      map.splice(map.indexOf(field), 1);
    },
    () => {
      draw.from(all).push(field);
    },
    () => {
      map.reverse();
    },
    () => {
      draw.from(maps.inputs).push(['03', hex(draw.from([0, 1, 2, 3, 4, 0x81, 0x83, 0x101]), 4)]);
    },
    () => {
      const length = draw.from([0, 1, 4, 20, 32, 33, 64]);
      draw.from(all).push([
        draw.from(types) +
          bytesToHex(draw.bytes())
            .repeat(2)
            .slice(0, 2 * length),
        hex(1, 4),
      ]);
    },
    () => {
      const inputs = draw.from([maps.inputs, maps.outputs]);
      inputs.push([...draw.from(inputs)]);
    },
  ];
  draw.from(actions)();
}

/** What the decoder makes of a case: what it read, or its code. Any other error is the fuzzer's finding. */
export function readCase({ psbt, algorithm }: Case): DecodedPayload | string {
  try {
    return decode(psbt, algorithm);
  } catch (error) {
    if (error instanceof TransactionError) return error.code;
    throw error;
  }
}

/** Says how a reading differs from rust-bitcoin's; undefined where it does not. */
export function compareWithRust(decoded: DecodedPayload, reading: RustReading | string): string | undefined {
  if (typeof reading === 'string') return reading;
  const { transaction, signings } = decoded;
  const total = (items: readonly { amount: string }[]) =>
    items.reduce((sum, { amount }) => sum + BigInt(amount), 0n);
  const expected = {
    txid: reading.txid,
    lockTime: String(reading.lockTime),
    version: String(reading.version),
    fee: String(total(reading.inputs) - total(reading.outputs)),
    digests: signings.map(({ index = 0 }) => reading.inputs[index]?.digest),
    addresses: transaction.effects.map(({ details }) =>
      details['output'] === undefined ? null : reading.outputs[Number(details['output'])]?.address || null,
    ),
  };
  const actual = {
    txid: transaction.details['txid'],
    lockTime: transaction.details['lockTime'],
    version: transaction.details['version'],
    fee: String(transaction.fee?.amount),
    digests: signings.map(({ index = 0 }) => digestOf(decoded, index)),
    addresses: transaction.effects.map(({ to }) => to),
  };
  const [left, right] = [JSON.stringify(actual), JSON.stringify(expected)];
  return left === right ? undefined : `read ${left}, rust-bitcoin ${right}`;
}

/** Says how a reading differs from scure's; undefined where it does not. */
export function compareWithScure({ psbt }: Case, decoded: DecodedPayload): string | undefined {
  let transaction: scure.Transaction;
  try {
    transaction = scure.Transaction.fromPSBT(psbt, {
      allowUnknownInputs: true,
      allowUnknownOutputs: true,
      allowLegacyWitnessUtxo: true,
      disableScriptCheck: true,
      allowUnknown: true,
    });
  } catch (error) {
    return `refused ${String(error)}`;
  }
  const outputs = Array.from({ length: transaction.outputsLength }, (_, index) =>
    transaction.getOutput(index),
  );
  const [left, right] = [
    decoded.transaction.effects.flatMap(({ details, amount }) => (details['output'] ? [amount] : [])),
    decoded.transaction.effects.flatMap(({ details }) =>
      details['output'] ? [outputs[Number(details['output'])]?.amount] : [],
    ),
  ].map(String);
  const fee = transaction.fee;
  const id = bytesToHex(sha256(sha256(transaction.unsignedTx)).toReversed());
  if (id !== decoded.transaction.details['txid'])
    return `read id ${decoded.transaction.details['txid']}, scure ${id}`;
  if (fee !== decoded.transaction.fee?.amount)
    return `read fee ${decoded.transaction.fee?.amount}, scure ${fee}`;
  return left === right ? undefined : `read amounts ${left}, scure ${right}`;
}
