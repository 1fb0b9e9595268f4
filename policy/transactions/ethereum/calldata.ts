import type { Effect } from '../transaction.ts';
import { type AbiType, type AbiValues, decodeArguments } from './abi.ts';
import { formatAddress } from './account.ts';
import { assertBatchSize, makeEffect, nameToken, type TokenStandard } from './effects.ts';
import type { EthereumFeature } from './features.ts';
import { toHex } from './integers.ts';

/** What a function's description knows beside its arguments. Addresses have the checksum of EIP-55. */
interface Call {
  readonly network: string;
  readonly contract: string;
  readonly selector: string;
  /** The account that calls. */
  readonly source: string;
  /** Takes what is unusual. */
  readonly features: Set<EthereumFeature>;
}

type Describe = (call: Call, data: Uint8Array) => readonly Effect[] | undefined;

/** The amount from which an allowance is as good as one without an end: no supply comes near it. */
export const UNLIMITED_ALLOWANCE = 1n << 255n;

/**
 * Describes a call by its data: transfers and allowances of ERC-20, 721 and 1155 by what they do, everything else as a
 * `call` with its selector (null below four bytes). A known selector whose arguments are not in the ABI's own encoding is a
 * `call` too, with the feature `ethereum:noncanonical-calldata`: contracts read such bytes in different ways.
 *
 * @throws TransactionError TRANSACTION_TOO_LARGE for a batch that is too long
 */
export function describeCall(data: Uint8Array, call: Omit<Call, 'selector'>): readonly Effect[] {
  const selector = data.length < 4 ? null : toHex(data.subarray(0, 4));
  const details = { dataBytes: String(data.length) };
  const unknown = [makeEffect('call', { contract: call.contract, selector, details })];
  const known = selector === null ? undefined : FUNCTIONS.get(selector);
  if (selector === null || known === undefined) return unknown;
  const effects = known({ ...call, selector }, data.subarray(4));
  if (effects === undefined) call.features.add('ethereum:noncanonical-calldata');
  return effects ?? unknown;
}

function known<const Types extends readonly AbiType[]>(
  types: Types,
  describe: (call: Call, ...values: AbiValues<Types>) => readonly Effect[] | undefined,
): Describe {
  return (call, data) => {
    const values = decodeArguments(types, data);
    return values === undefined ? undefined : describe(call, ...values);
  };
}

function move(
  call: Call,
  standard: TokenStandard,
  fields: {
    from?: Uint8Array;
    to: Uint8Array;
    amount: bigint;
    assetId?: bigint;
    details?: Record<string, string>;
  },
): Effect {
  const from = fields.from === undefined ? undefined : formatAddress(fields.from);
  if (from !== undefined && from !== call.source) call.features.add('ethereum:foreign-funds');
  return makeEffect('transfer', {
    to: formatAddress(fields.to),
    asset: nameToken(call.network, standard, call.contract, fields.assetId),
    amount: fields.amount,
    contract: call.contract,
    selector: call.selector,
    details: { ...(from === undefined ? {} : { from }), ...fields.details },
  });
}

function allow(
  call: Call,
  standard: TokenStandard,
  spender: Uint8Array,
  amount: bigint | null,
  details: Record<string, string> = {},
): Effect[] {
  if (amount === null || amount >= UNLIMITED_ALLOWANCE) call.features.add('ethereum:unlimited-allowance');
  const { contract, selector } = call;
  const asset = nameToken(call.network, standard, contract);
  return [
    makeEffect('allowance', { to: formatAddress(spender), asset, amount, contract, selector, details }),
  ];
}

const EITHER = 'an amount of ERC-20 or a token id of ERC-721';
const describeNft = (call: Call, from: Uint8Array, to: Uint8Array, id: bigint): Effect[] => [
  move(call, 'erc721', { from, to, amount: 1n, details: { tokenId: id.toString() } }),
];

/** Functions by the first four bytes of the hash of their signature. */
const FUNCTIONS: ReadonlyMap<string, Describe> = new Map<string, Describe>([
  // transfer(address,uint256): ERC-20
  ['0xa9059cbb', known(['address', 'uint256'], (call, to, amount) => [move(call, 'erc20', { to, amount })])],
  [
    // transferFrom(address,address,uint256): ERC-20 and ERC-721
    '0x23b872dd',
    known(['address', 'address', 'uint256'], (call, from, to, amount) => [
      move(call, 'token', { from, to, amount, details: { amountIs: EITHER } }),
    ]),
  ],
  [
    // approve(address,uint256): ERC-20 and ERC-721
    '0x095ea7b3',
    known(['address', 'uint256'], (call, spender, amount) =>
      allow(call, 'token', spender, amount, { amountIs: EITHER }),
    ),
  ],
  [
    // increaseAllowance(address,uint256): OpenZeppelin's ERC-20
    '0x39509351',
    known(['address', 'uint256'], (call, spender, amount) => {
      call.features.add('ethereum:relative-allowance');
      return allow(call, 'erc20', spender, amount, { amountIs: 'added to what is allowed already' });
    }),
  ],
  [
    // decreaseAllowance(address,uint256): allows nothing that was not allowed before
    '0xa457c2d7',
    known(['address', 'uint256'], (call, spender, amount) =>
      allow(call, 'erc20', spender, 0n, { decreasedBy: amount.toString() }),
    ),
  ],
  [
    // permit(address,address,uint256,uint256,uint8,bytes32,bytes32): ERC-2612
    '0xd505accf',
    known(
      ['address', 'address', 'uint256', 'uint256', 'uint8', 'bytes32', 'bytes32'],
      (call, holder, spender, amount, deadline) => {
        const owner = formatAddress(holder);
        if (owner !== call.source) call.features.add('ethereum:foreign-funds');
        return allow(call, 'erc20', spender, amount, { owner, deadline: deadline.toString() });
      },
    ),
  ],
  // safeTransferFrom(address,address,uint256): ERC-721
  ['0x42842e0e', known(['address', 'address', 'uint256'], describeNft)],
  // safeTransferFrom(address,address,uint256,bytes): ERC-721
  ['0xb88d4fde', known(['address', 'address', 'uint256', 'bytes'], describeNft)],
  [
    // setApprovalForAll(address,bool): ERC-721 and ERC-1155
    '0xa22cb465',
    known(['address', 'bool'], (call, operator, isApproved) =>
      allow(call, 'token', operator, isApproved ? null : 0n, {
        amountIs: 'all tokens, of ERC-721 or ERC-1155',
      }),
    ),
  ],
  [
    // safeTransferFrom(address,address,uint256,uint256,bytes): ERC-1155
    '0xf242432a',
    known(['address', 'address', 'uint256', 'uint256', 'bytes'], (call, from, to, assetId, amount) => [
      move(call, 'erc1155', { from, to, amount, assetId }),
    ]),
  ],
  [
    // safeBatchTransferFrom(address,address,uint256[],uint256[],bytes): ERC-1155
    '0x2eb2c2d6',
    known(['address', 'address', 'uint256[]', 'uint256[]', 'bytes'], (call, from, to, ids, amounts) => {
      assertBatchSize(ids.length);
      // The standard has contracts refuse lists of different lengths; an empty batch does nothing that could be named.
      if (ids.length === 0 || ids.length !== amounts.length) return undefined;
      return ids.map((assetId, index) =>
        move(call, 'erc1155', { from, to, amount: amounts[index] ?? 0n, assetId }),
      );
    }),
  ],
]);
