import { OTHER, SOURCE, TOKEN } from './support.ts';

export interface Document {
  types: Record<string, { name: string; type: string }[]>;
  primaryType: string;
  domain: Record<string, unknown>;
  message: Record<string, unknown>;
}

/** Reads `address owner,uint256 value` as a list of fields. */
export function fields(text: string): { name: string; type: string }[] {
  return text.split(',').map((field) => {
    const [type = '', name = ''] = field.trim().split(' ');
    return { name, type };
  });
}

const DOMAIN_FIELDS = fields(
  'string name,string version,uint256 chainId,address verifyingContract,bytes32 salt',
);
export const DOMAIN = { name: 'Test', version: '1', chainId: 1, verifyingContract: TOKEN };

/** Makes a document whose domain type is as the domain's keys say. */
export function makeDocument(
  types: Readonly<Record<string, string>>,
  primaryType: string,
  message: Record<string, unknown>,
  domain: Record<string, unknown> = DOMAIN,
): Document {
  return {
    types: {
      EIP712Domain: DOMAIN_FIELDS.filter(({ name }) => name in domain),
      ...Object.fromEntries(Object.entries(types).map(([name, text]) => [name, fields(text)])),
    },
    primaryType,
    domain,
    message,
  };
}

/** The example of EIP-712, with nested structs. */
export const MAIL = makeDocument(
  { Person: 'string name,address wallet', Mail: 'Person from,Person to,string contents' },
  'Mail',
  {
    from: { name: 'Cow', wallet: '0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826' },
    to: { name: 'Bob', wallet: '0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB' },
    contents: 'Hello, Bob!',
  },
  {
    name: 'Ether Mail',
    version: '1',
    chainId: 1,
    verifyingContract: '0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC',
  },
);

/** A field of each kind, and arrays of them. */
export const EVERYTHING = makeDocument(
  {
    Leaf: 'int8 small,bytes3 three',
    All: 'bool flag,int8 negative,uint256 large,int256 lowest,bytes raw,bytes32 word,string text,address who,Leaf[] leaves,uint8[2][] pairs,Leaf[1] one,string[] texts',
  },
  'All',
  {
    flag: true,
    negative: -1,
    large: String(2n ** 256n - 1n),
    lowest: String(-(2n ** 255n)),
    raw: '0xABcd',
    word: `0x${'ab'.repeat(32)}`,
    text: '0x1234 ünï',
    who: OTHER.toLowerCase(),
    leaves: [
      { small: -128, three: '0x010203' },
      { small: '127', three: '0x000000' },
    ],
    pairs: [
      [1, 2],
      [3, '4'],
    ],
    one: [{ small: 0, three: '0xffffff' }],
    texts: [],
  },
);

export const PERMIT = makeDocument(
  { Permit: 'address owner,address spender,uint256 value,uint256 nonce,uint256 deadline' },
  'Permit',
  { owner: SOURCE, spender: OTHER, value: '1000', nonce: 0, deadline: '1900000000' },
);
