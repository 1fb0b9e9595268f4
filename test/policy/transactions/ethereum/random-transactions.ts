import { decodeRlp, encodeRlp } from 'ethers';
import { serializeTransaction, type TransactionSerializable } from 'viem';
import type { RandomSource } from './random-source.ts';
import { bare, type Item, OTHER, signAuthorization, TOKEN } from './support.ts';

const CHAINS = [1, 10, 137];
const AUTHORIZATIONS = [0, ...CHAINS].flatMap((chainId) =>
  [0, 3, 300].map((nonce) => ({ chainId, items: signAuthorization({ chainId, nonce }) })),
);
const SELECTORS = ['a9059cbb', '23b872dd', '095ea7b3', '42842e0e', 'a22cb465', '2eb2c2d6', 'deadbeef'];

function hex(bytes: Uint8Array): `0x${string}` {
  return `0x${Buffer.from(bytes).toString('hex')}`;
}

function drawData(random: RandomSource): `0x${string}` {
  if (random.once(3)) return '0x';
  if (random.once(2)) return hex(random.bytes(random.below(80)));
  const words = Array.from({ length: random.below(5) }, () =>
    (random.once(2) ? OTHER.slice(2).toLowerCase() : random.integer(64).toString(16)).padStart(64, '0'),
  );
  return `0x${random.pick(SELECTORS)}${words.join('')}`;
}

/** Draws the fields of a transaction that the chain takes, and has viem write them. */
export function drawTransaction(random: RandomSource): string {
  const chainId = random.pick(CHAINS);
  const type = random.pick(['legacy', 'eip2930', 'eip1559', 'eip4844', 'eip7702'] as const);
  const fees = [random.integer(88), random.integer(88)].sort((one, other) => (one < other ? -1 : 1));
  const common = {
    chainId,
    nonce: Number(random.integer(48)),
    gas: random.integer(64),
    to: hex(random.bytes(20)),
    value: random.integer(128),
    data: drawData(random),
  };
  const accessList = Array.from({ length: random.below(3) }, () => ({
    address: random.once(2) ? (TOKEN.toLowerCase() as `0x${string}`) : hex(random.bytes(20)),
    storageKeys: Array.from({ length: random.below(3) }, () => hex(random.bytes(32))),
  }));
  const [maxPriorityFeePerGas = 0n, maxFeePerGas = 0n] = fees;
  const priced = { ...common, maxPriorityFeePerGas, maxFeePerGas, accessList };
  const to = random.once(5) ? null : common.to;
  const byType: Readonly<Record<typeof type, () => object>> = {
    legacy: () => ({ ...common, to, gasPrice: maxFeePerGas }),
    eip2930: () => ({ ...common, to, gasPrice: maxFeePerGas, accessList }),
    eip1559: () => ({ ...priced, to }),
    eip4844: () => ({
      ...priced,
      maxFeePerBlobGas: random.integer(64),
      blobVersionedHashes: Array.from({ length: 1 + random.below(6) }, () =>
        hex(Uint8Array.of(1, ...random.bytes(31))),
      ),
    }),
    eip7702: () => ({ ...priced, authorizationList: drawAuthorizations(random, chainId) }),
  };
  return bare(serializeTransaction({ type, ...byType[type]() } as TransactionSerializable));
}

function drawAuthorizations(random: RandomSource, chainId: number): object[] {
  const possible = AUTHORIZATIONS.filter((one) => one.chainId === 0 || one.chainId === chainId);
  return Array.from({ length: 1 + random.below(3) }, () => {
    const [chain, address, nonce, yParity, r, s] = random.pick(possible).items;
    const number = (item: Item | undefined) => Number(item === '0x' ? 0 : item);
    return { chainId: number(chain), address, nonce: number(nonce), yParity: number(yParity), r, s };
  });
}

/** Flips, inserts or drops one byte. */
export function changeByte(bytes: string, random: RandomSource): string {
  const buffer = [...Buffer.from(bytes, 'hex')];
  const at = random.below(buffer.length);
  const kind = random.below(3);
  if (kind === 0) buffer[at] = (buffer[at] ?? 0) ^ (1 + random.below(255));
  else if (kind === 1) buffer.splice(at, 0, random.pick([0, 1, 0x80, 0xc0, random.below(256)]));
  else buffer.splice(at, 1);
  return Buffer.from(buffer).toString('hex');
}

/** Encodes a transaction again with some items in a form that no encoder gives, or exchanged for others. */
export function encodeOddly(bytes: string, random: RandomSource): string {
  const prefix = Number.parseInt(bytes.slice(0, 2), 16) < 0xc0 ? bytes.slice(0, 2) : '';
  const items = decodeRlp(`0x${bytes.slice(prefix.length)}`) as Item;
  const changes = { left: 1 + random.below(2), odds: 1 + random.below(12) };
  return prefix + encodeItem(items, random, changes);
}

interface Changes {
  left: number;
  readonly odds: number;
}

function encodeItem(item: Item, random: RandomSource, changes: Changes): string {
  const isChanged = changes.left > 0 && random.once(changes.odds);
  if (isChanged) changes.left -= 1;
  if (typeof item === 'string') {
    const content = isChanged ? changeString(bare(item), random) : bare(item);
    return isChanged && random.once(2)
      ? withLongHeader(0xb7, content, random)
      : bare(encodeRlp(`0x${content}`));
  }
  const parts = item.map((part) => encodeItem(part, random, changes));
  if (!isChanged) return withHeader(0xc0, parts.join(''));
  const kind = random.below(6);
  if (kind === 0) return '80';
  if (kind === 1)
    parts.splice(random.below(parts.length + 1), 0, random.pick(['80', '01', 'c0', '00', ...parts]));
  if (kind === 2 && parts.length > 0) parts.splice(random.below(parts.length), 1);
  if (kind === 3) return withLongHeader(0xf7, parts.join(''), random);
  if (kind === 4) return withHeader(0xc0, `${parts.join('')}00`).slice(0, -2);
  return withHeader(0xc0, parts.join(''));
}

function changeString(content: string, random: RandomSource): string {
  const kind = random.below(6);
  if (kind === 0) return `00${content}`;
  if (kind === 1) return '';
  if (kind === 2) return content.slice(2);
  if (kind === 3) return `${content}01`;
  if (kind === 4)
    return random
      .integer(264)
      .toString(16)
      .padStart(66, '0')
      .slice(random.pick([0, 2, 4, 50]));
  return content;
}

function withHeader(base: number, content: string): string {
  const length = content.length / 2;
  if (length <= 55) return (base + length).toString(16) + content;
  const digits = length.toString(16);
  const size = Math.ceil(digits.length / 2);
  return (base + 55 + size).toString(16) + digits.padStart(2 * size, '0') + content;
}

function withLongHeader(base: number, content: string, random: RandomSource): string {
  const size = 1 + random.below(random.once(3) ? 8 : 2);
  const length = (content.length / 2)
    .toString(16)
    .padStart(2 * size, '0')
    .slice(-2 * size);
  return (base + size).toString(16) + length + content;
}
