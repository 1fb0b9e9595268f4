import { LocalForger } from '@taquito/local-forging';
import { createHash } from 'node:crypto';
import { hexToBytes } from '@noble/hashes/utils.js';
import { TransactionError } from '../../policy/transactions/index.ts';
import { Reader } from '../../policy/transactions/tezos/bytes.ts';
import { list } from '../../policy/transactions/tezos/codec.ts';
import { decodeTezos } from '../../policy/transactions/tezos/index.ts';
import { operation } from '../../policy/transactions/tezos/operations.ts';
import {
  ACCOUNTS,
  BRANCH,
  type Content,
  CONTRACT,
  contextOf,
  OTHER,
  PROTOCOL,
  SOURCE,
  TZ4,
} from '../policy/transactions/tezos/samples.ts';
import { toContent } from '../policy/transactions/tezos/taquito-form.ts';

const forger = new LocalForger();

/** Draws that a seed and a number decide: any case can be had again by itself. */
class Draw {
  readonly #name: string;
  #block = Buffer.alloc(0);
  #blocks = 0;

  constructor(seed: string, number: number) {
    this.#name = `${seed}/${number}`;
  }

  /** Draws an integer below a limit of at most 2^24. */
  below(limit: number): number {
    if (this.#block.length < 4) {
      this.#block = createHash('sha512').update(`${this.#name}/${this.#blocks}`).digest();
      this.#blocks += 1;
    }
    const value = this.#block.readUInt32BE(0) % limit;
    this.#block = this.#block.subarray(4);
    return value;
  }

  pick<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new RangeError('nothing to pick from');
    return value;
  }

  many<T>(limit: number, draw: () => T): T[] {
    return Array.from({ length: this.below(limit + 1) }, draw);
  }

  /** Draws a natural number whose length is drawn first, so that edges of the encoding are met. */
  natural(bits: number): bigint {
    const length = this.below(bits + 1);
    let value = 0n;
    for (let at = 0; at < length; at += 1) value = (value << 1n) | BigInt(this.below(2));
    return this.below(4) === 0 ? (1n << BigInt(length)) - 1n : value;
  }
}

const PRIMS = [
  'Unit',
  'True',
  'None',
  'Some',
  'Left',
  'Right',
  'Pair',
  'Elt',
  'DROP',
  'PUSH',
  'int',
  'Ticket',
];
const ANNOTATIONS = ['%a', ':type_name', '@x.y', '%', '%@', '@%%'];
const ENTRYPOINTS = [
  'default',
  'root',
  'do',
  'set_delegate',
  'stake',
  'transfer',
  'approve',
  'mint',
  'a.b%c@d',
  'x'.repeat(31),
];

function drawMicheline(draw: Draw, depth: number): unknown {
  const kind = draw.below(depth > 0 ? 6 : 3);
  if (kind === 0) return { int: String(draw.natural(200) * (draw.below(2) === 0 ? 1n : -1n)) };
  if (kind === 1) return { string: draw.pick(['', 'text', 'a "b" \\ \n', OTHER, CONTRACT, SOURCE]) };
  if (kind === 2) return { bytes: Buffer.from(draw.many(24, () => draw.below(256))).toString('hex') };
  if (kind === 3) return draw.many(4, () => drawMicheline(draw, depth - 1));
  // taquito reads and writes more than two arguments of these alone, and of no other primitive.
  const [prim, count] =
    draw.below(5) === 0
      ? draw.pick([
          ['Pair', 3],
          ['pair', 5],
        ] as const)
      : [draw.pick(PRIMS), draw.below(3)];
  const args = Array.from({ length: count }, () => drawMicheline(draw, depth - 1));
  const annots =
    draw.below(4) === 0 ? [draw.pick(ANNOTATIONS), ...draw.many(2, () => draw.pick(ANNOTATIONS))] : [];
  return { prim, ...(args.length > 0 ? { args } : {}), ...(annots.length > 0 ? { annots } : {}) };
}

const ADDRESSES = [
  SOURCE,
  OTHER,
  TZ4,
  CONTRACT,
  ACCOUNTS['ecdsa-p256-sha256'].address,
  ACCOUNTS['ecdsa-secp256k1'].address,
];
const HASHES = ADDRESSES.filter((address) => address !== CONTRACT);

/**
 * Tells where taquito is known not to read back what it read: arguments and annotations of a unit for the default
 * entrypoint, which the chain keeps, as the node does; and amounts from 10^21 on, which it writes with an exponent.
 */
function isLossy(each: object): boolean {
  if ('parameters' in each && isDefaultUnit(each.parameters)) return true;
  return Object.values(each).some((value) => typeof value === 'string' && /^\d.*e\+\d+$/.test(value));
}

function isDefaultUnit(parameters: unknown): boolean {
  const { entrypoint, value } = parameters as {
    readonly entrypoint: string;
    readonly value: { readonly prim?: string };
  };
  return entrypoint === 'default' && value.prim === 'Unit';
}

function drawTransaction(draw: Draw): Record<string, unknown> {
  const fields = { amount: String(draw.natural(63)), destination: draw.pick(ADDRESSES) };
  if (draw.below(3) === 0) return fields;
  const parameters = { entrypoint: draw.pick(ENTRYPOINTS), value: drawMicheline(draw, 4) };
  const isPlain = isDefaultUnit(parameters);
  return isPlain ? fields : { ...fields, parameters };
}

const DRAWN: Readonly<Record<string, (draw: Draw) => Record<string, unknown>>> = {
  transaction: drawTransaction,
  reveal: (draw) => ({ public_key: draw.pick(Object.values(ACCOUNTS)).publicKey }),
  delegation: (draw) => (draw.below(2) === 0 ? {} : { delegate: draw.pick(HASHES) }),
  origination: (draw) => ({
    balance: String(draw.natural(63)),
    ...(draw.below(2) === 0 ? {} : { delegate: draw.pick(HASHES) }),
    script: { code: drawMicheline(draw, 5), storage: drawMicheline(draw, 3) },
  }),
  register_global_constant: (draw) => ({ value: drawMicheline(draw, 5) }),
  set_deposits_limit: (draw) => (draw.below(2) === 0 ? {} : { limit: String(draw.natural(63)) }),
  increase_paid_storage: (draw) => ({ amount: String(draw.below(64)), destination: CONTRACT }),
  update_consensus_key: (draw) => ({ pk: draw.pick(Object.values(ACCOUNTS)).publicKey }),
  transfer_ticket: (draw) => ({
    ticket_contents: drawMicheline(draw, 3),
    ticket_ty: drawMicheline(draw, 3),
    ticket_ticketer: draw.pick(ADDRESSES),
    ticket_amount: String(draw.natural(300)),
    destination: draw.pick(ADDRESSES),
    entrypoint: draw.pick(ENTRYPOINTS),
  }),
  smart_rollup_originate: (draw) => ({
    pvm_kind: draw.pick(['arith', 'wasm_2_0_0', 'riscv']),
    kernel: Buffer.from(draw.many(40, () => draw.below(256))).toString('hex'),
    parameters_ty: drawMicheline(draw, 3),
  }),
  smart_rollup_add_messages: (draw) => ({
    message: draw.many(3, () => Buffer.from(draw.many(9, () => draw.below(256))).toString('hex')),
  }),
};

/** Draws operations as the RPC interface has them; half of them are of the signing account, with rising counters. */
export function drawContents(seed: string, number: number): readonly Content[] {
  const draw = new Draw(seed, number);
  if (draw.below(16) === 0) {
    return [
      {
        kind: 'ballot',
        source: SOURCE,
        period: draw.below(9),
        proposal: PROTOCOL,
        ballot: draw.pick(['yay', 'nay', 'pass']),
      },
    ];
  }
  const counter = draw.natural(40);
  const isOwn = draw.below(4) > 0;
  return Array.from({ length: 1 + draw.below(3) }, (_, index) => {
    const kind = draw.below(2) === 0 ? 'transaction' : draw.pick(Object.keys(DRAWN));
    return {
      kind,
      source: isOwn ? SOURCE : draw.pick(HASHES),
      fee: String(draw.natural(63)),
      counter: String(counter + BigInt(isOwn ? index : draw.below(2))),
      gas_limit: String(draw.natural(63)),
      storage_limit: String(draw.natural(63)),
      ...DRAWN[kind]?.(draw),
    };
  });
}

export function forgeContents(contents: readonly Content[]): Promise<string> {
  return forger.forge({ branch: BRANCH, contents } as never);
}

/** Alters one to three places of bytes: flips a bit, sets, inserts, drops or doubles a byte, or cuts the end. */
function mutate(seed: string, number: number, hex: string): string {
  const draw = new Draw(`${seed}/mutation`, number);
  let bytes = [...hexToBytes(hex)];
  for (let left = 1 + draw.below(3); left > 0; left -= 1) {
    const at = draw.below(bytes.length + 1);
    const byte = bytes[at] ?? 0;
    const kinds = [
      () => bytes.splice(at, 1, byte ^ (1 << draw.below(8))),
      () => bytes.splice(at, 1, draw.pick([0, 1, 2, 3, 9, 10, 0x7f, 0x80, 0xff, draw.below(256)])),
      () => bytes.splice(at, 0, draw.pick([0, 0x80, 0xff, draw.below(256)])),
      () => bytes.splice(at, 1),
      () => bytes.splice(at, 0, byte),
      () => bytes.splice(at, 1, byte | 0x80, 0),
      () => (bytes = bytes.slice(0, at)),
    ];
    draw.pick(kinds)();
  }
  return Buffer.from(bytes).toString('hex');
}

/** Decodes by the node's decoder: `accepted`, or the code of its refusal. Any other error is thrown on. */
export function decide(hex: string): string {
  try {
    decodeTezos({ kind: 'tezos-operation', operation: hex }, contextOf());
    return 'accepted';
  } catch (error) {
    if (error instanceof TransactionError) return error.code;
    throw error;
  }
}

const readFields = (forged: string) =>
  list(operation)
    .read(new Reader(hexToBytes(forged.slice(64))))
    .map(toContent);

/** Orders the members of what both programs give, and drops what they write in another notation. */
function normalise(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normalise);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([name, member]) => name !== 'proof' && member !== undefined);
  return Object.fromEntries(
    entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) => [name, normalise(member)]),
  );
}
const isSame = (a: unknown, b: unknown) => JSON.stringify(normalise(a)) === JSON.stringify(normalise(b));

/** Tells whether a primitive has more arguments than taquito reads of it: of these it knows that they may have many. */
function hasManyArguments(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { prim, args } = value as { readonly prim?: unknown; readonly args?: readonly unknown[] };
  if (Array.isArray(args) && args.length > 2 && prim !== 'Pair' && prim !== 'pair') return true;
  return Object.values(value).some(hasManyArguments);
}

/** Tells where the protocol has a signed integer that taquito reads as a natural number: below 64 both are the same. */
function hasSignedAmount({ kind, amount }: Content): boolean {
  return kind === 'increase_paid_storage' && BigInt(String(amount)) >= 64n;
}

export interface CaseResult {
  /** How the node's decoder took the altered bytes. */
  readonly outcome: string;
  /** What must not be; undefined where all is well. */
  readonly fault?: string;
}

/**
 * Runs one case: what taquito forges decodes to the fields that were forged; altered bytes that the decoder accepts are
 * read by taquito as the same fields, and forged to the same bytes.
 */
export async function runCase(seed: string, number: number): Promise<CaseResult> {
  const contents = drawContents(seed, number);
  const forged = await forgeContents(contents);
  if (!isSame(readFields(forged), contents)) return { outcome: 'forged', fault: `other fields: ${forged}` };
  const plain = decide(`03${forged}`);
  const isExpected = ['accepted', 'TRANSACTION_UNSAFE', 'TRANSACTION_KEY_MISMATCH'].includes(plain);
  if (!isExpected) return { outcome: plain, fault: `refused what taquito forged: 03${forged}` };
  const altered = mutate(seed, number, `03${forged}`);
  const outcome = decide(altered);
  if (outcome !== 'accepted') return { outcome };
  const fields = readFields(altered.slice(2));
  if (hasManyArguments(fields) || fields.some(hasSignedAmount)) return { outcome };
  try {
    const parsed = await forger.parse(altered.slice(2));
    if (parsed.contents.some(isLossy)) return { outcome };
    const again = await forger.forge(parsed);
    if (`03${again}` !== altered) return { outcome, fault: `forged to other bytes: ${altered}` };
    if (isSame(parsed.contents, fields)) return { outcome };
    return { outcome, fault: `read as other fields: ${altered}` };
  } catch (error) {
    return { outcome, fault: `refused by taquito: ${altered}: ${String(error)}` };
  }
}
