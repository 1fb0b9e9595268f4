import type { RandomSource } from './random-source.ts';
import { OTHER, SOURCE, TOKEN } from './support.ts';
import { type Document, makeDocument } from './typed-documents.ts';

const ATOMS = [
  'bool',
  'string',
  'bytes',
  'address',
  'uint8',
  'uint256',
  'int8',
  'int256',
  'uint160',
  'bytes1',
  'bytes32',
];
const STRINGS = ['', 'a', '0xab', 'ünï', '1', 'true', '\u0000', '𝕏'];

function drawAtom(type: string, random: RandomSource): unknown {
  const hex = (length: number) => `0x${Buffer.from(random.bytes(length)).toString('hex')}`;
  if (type === 'bool') return random.once(2);
  if (type === 'string') return random.pick(STRINGS);
  if (type === 'bytes') return hex(random.below(40));
  if (type === 'address') return random.pick([SOURCE, OTHER, TOKEN, OTHER.toLowerCase(), hex(20)]);
  if (type.startsWith('bytes')) return hex(Number(type.slice(5)));
  const bits = Number(type.replace(/\D+/, ''));
  const integer = random.integer(bits) % (1n << BigInt(bits));
  const value = type.startsWith('u') ? integer : BigInt.asIntN(bits, integer);
  return random.once(2) && Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
}

/** Draws a document: a chain of structs, each with some fields and arrays, and values for them. */
export function drawDocument(random: RandomSource): Document {
  const depth = 1 + random.below(3);
  const types: Record<string, string> = {};
  const values = new Map<string, () => unknown>();
  for (let level = depth - 1; level >= 0; level -= 1) {
    const next = level + 1 < depth ? [`S${level + 1}`] : [];
    const bases = [...next, ...Array.from({ length: 1 + random.below(4) }, () => random.pick(ATOMS))];
    const fields = bases.map((base, index) => {
      const suffix = random.pick(['', '', '', '[]', '[2]', '[][1]', '[2][]']);
      return { name: `f${index}`, base, suffix };
    });
    types[`S${level}`] = fields.map(({ name, base, suffix }) => `${base}${suffix} ${name}`).join(',');
    values.set(`S${level}`, () =>
      Object.fromEntries(
        fields.map(({ name, base, suffix }) => [name, drawValue(base + suffix, random, values)]),
      ),
    );
  }
  const domain = {
    ...(random.once(3) ? {} : { name: random.pick(STRINGS) }),
    ...(random.once(2) ? {} : { version: '1' }),
    ...(random.once(4) ? {} : { chainId: random.pick([1, '10', 137]) }),
    verifyingContract: random.pick([TOKEN, OTHER]),
    ...(random.once(4) ? { salt: `0x${'07'.repeat(32)}` } : {}),
  };
  return makeDocument(types, 'S0', values.get('S0')?.() as Record<string, unknown>, domain);
}

function drawValue(type: string, random: RandomSource, structs: ReadonlyMap<string, () => unknown>): unknown {
  const [, element, length] = /^(.+)\[(\d*)\]$/.exec(type) ?? [];
  if (element === undefined) return structs.get(type)?.() ?? drawAtom(type, random);
  const count = length === '' ? random.below(3) : Number(length);
  return Array.from({ length: count }, () => drawValue(element, random, structs));
}

const ODD_VALUES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  1,
  -1,
  1.5,
  '',
  '0',
  '1',
  '-1',
  '01',
  ' 1',
  '0x',
  '0x1',
  '0x01',
  '0X01',
  'true',
  'false',
  [],
  [[]],
  {},
  SOURCE,
  SOURCE.replace('E', 'e'),
  'uint',
  'uint8',
  'int256',
  'bool',
  'S1',
  'S0',
  'S1[]',
  'EIP712Domain',
  'f0',
  'f1',
  '1e2',
  String(2n ** 256n),
  256,
  `0x${'01'.repeat(32)}`,
];

/** Changes one place of a document: another value, a key less, a key more, an element twice or none. */
export function changeDocument(document: Document, random: RandomSource): Document {
  const copy = structuredClone(document);
  const places: { holder: Record<string, unknown>; key: string }[] = [];
  const visit = (holder: Record<string, unknown>) => {
    for (const key of Object.keys(holder)) {
      places.push({ holder, key });
      const value = holder[key];
      if (typeof value === 'object' && value !== null) visit(value as Record<string, unknown>);
    }
  };
  visit(copy as unknown as Record<string, unknown>);
  const { holder, key } = random.pick(places);
  const kind = random.below(6);
  if (Array.isArray(holder) && kind < 2)
    holder.splice(Number(key), kind, ...(kind === 0 ? [holder[Number(key)]] : []));
  else if (kind === 0) delete holder[key];
  else if (kind === 1)
    holder[random.pick(['extra', 'f0', 'f1', 'name', 'chainId', 'S1'])] = random.pick(ODD_VALUES);
  else holder[key] = structuredClone(random.pick(ODD_VALUES));
  return copy;
}
