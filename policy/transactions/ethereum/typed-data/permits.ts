import type { Effect } from '../../transaction.ts';
import { assertBatchSize, makeEffect, nameToken, type TokenStandard } from '../effects.ts';
import type { EthereumFeature } from '../features.ts';
import type { TypedDocument } from './document.ts';
import type { TypedValue } from './values.ts';

/** What is known of a document beside its message. */
export interface Circumstances {
  /** Null where the domain names no chain. */
  readonly network: string | null;
  /** The domain's verifying contract by EIP-55; null where it names none. */
  readonly contract: string | null;
  /** The account that signs. */
  readonly source: string;
  /** Takes what is unusual. */
  readonly features: Set<EthereumFeature>;
}

interface Permit extends Circumstances {
  readonly selector: string;
  /** Reads a field of the message by its path: `details.token`. */
  readonly text: (path: string) => string;
  readonly message: TypedValue;
}

type Describe = (permit: Permit) => Effect[];

/** Amounts from which an allowance is as good as one without an end: half of what its type holds. */
const UNLIMITED = { uint256: 1n << 255n, uint160: 1n << 159n };

/**
 * Describes what a document permits whose primary type, written out, is known to the letter; nothing for any other. `isAll`
 * is false where the document says something beside that: any other document, a batch of nothing, a permit of Permit2 with
 * a witness, whose type an application defines.
 */
export function describePermit(
  document: TypedDocument,
  circumstances: Circumstances,
): { effects: Effect[]; isAll: boolean } {
  const { message, primaryType: selector, typeText } = document;
  const hasWitness = isWitnessPermit(typeText);
  const describe = hasWitness ? describeTransferPermit : PERMITS.get(typeText);
  const permit = { ...circumstances, selector, message, text: (path: string) => readText(message, path) };
  const effects = describe?.(permit) ?? [];
  return { effects, isAll: effects.length > 0 && !hasWitness };
}

function isWitnessPermit(typeText: string): boolean {
  return (
    WITNESS_PERMITS.some((start) => typeText.startsWith(start)) && typeText.includes(`)${TOKEN_PERMISSIONS}`)
  );
}

/** Finds a value by the names of its fields; the type that was compared to the letter says that it is there. */
function find(value: TypedValue, path: string): TypedValue | undefined {
  return path.split('.').reduce<TypedValue | undefined>((from, name) => from?.parts?.get(name), value);
}

function readText(value: TypedValue, path: string): string {
  return find(value, path)?.text ?? '';
}

function tokenOf(permit: Permit, standard: TokenStandard, token: string | null): string | null {
  return permit.network === null || token === null ? null : nameToken(permit.network, standard, token);
}

function noteOwner(permit: Permit, owner: string): void {
  if (owner !== permit.source) permit.features.add('ethereum:foreign-funds');
}

function allow(
  permit: Permit,
  fields: { spender: string; asset: string | null; amount: bigint | null; details: Record<string, string> },
  unlimited = UNLIMITED.uint256,
): Effect {
  const { contract, selector, features } = permit;
  const { spender, asset, amount, details } = fields;
  if (amount === null || amount >= unlimited) features.add('ethereum:unlimited-allowance');
  return makeEffect('allowance', { to: spender, asset, amount, contract, selector, details });
}

/** ERC-2612. */
const describeErc2612: Describe = (permit) => {
  const owner = permit.text('owner');
  noteOwner(permit, owner);
  return [
    allow(permit, {
      spender: permit.text('spender'),
      asset: tokenOf(permit, 'erc20', permit.contract),
      amount: BigInt(permit.text('value')),
      details: { owner, nonce: permit.text('nonce'), deadline: permit.text('deadline') },
    }),
  ];
};

/** DAI's permit: all or nothing. */
const describeDai: Describe = (permit) => {
  const owner = permit.text('holder');
  noteOwner(permit, owner);
  return [
    allow(permit, {
      spender: permit.text('spender'),
      asset: tokenOf(permit, 'erc20', permit.contract),
      amount: permit.text('allowed') === 'true' ? null : 0n,
      details: { owner, nonce: permit.text('nonce'), deadline: permit.text('expiry') },
    }),
  ];
};

/** ERC-4494: one token of ERC-721. */
const describeErc4494: Describe = (permit) => [
  allow(permit, {
    spender: permit.text('spender'),
    asset: tokenOf(permit, 'erc721', permit.contract),
    amount: 1n,
    details: {
      tokenId: permit.text('tokenId'),
      nonce: permit.text('nonce'),
      deadline: permit.text('deadline'),
    },
  }),
];

/** ERC-3009: who holds the signature may have the transfer made. */
const describeErc3009: Describe = (permit) => {
  const from = permit.text('from');
  noteOwner(permit, from);
  const names = ['validAfter', 'validBefore', 'nonce'];
  const details = { from, ...Object.fromEntries(names.map((name) => [name, permit.text(name)])) };
  return [
    makeEffect('transfer', {
      to: permit.text('to'),
      asset: tokenOf(permit, 'erc20', permit.contract),
      amount: BigInt(permit.text('value')),
      contract: permit.contract,
      selector: permit.selector,
      details,
    }),
  ];
};

/** Permit2: one effect for each token; `list` is the field that holds one, or a list of them. */
function describePermit2(list: 'details' | 'permitted', deadline: string, unlimited: bigint): Describe {
  return (permit) => {
    const entry = find(permit.message, list);
    const isList = entry?.parts?.has('token') !== true;
    const entries = entry === undefined ? [] : isList ? [...(entry.parts?.values() ?? [])] : [entry];
    assertBatchSize(entries.length);
    return entries.map((one) => {
      const rest = ['expiration', 'nonce'].filter((name) => find(one, name) !== undefined);
      const details = Object.fromEntries(rest.map((name) => [name, readText(one, name)]));
      return allow(
        permit,
        {
          spender: permit.text('spender'),
          asset: tokenOf(permit, 'erc20', readText(one, 'token')),
          amount: BigInt(readText(one, 'amount')),
          details: { ...details, deadline: permit.text(deadline) },
        },
        unlimited,
      );
    });
  };
}

const describeAllowance = describePermit2('details', 'sigDeadline', UNLIMITED.uint160);
const describeTransferPermit = describePermit2('permitted', 'deadline', UNLIMITED.uint256);

const AUTHORIZATION_3009 =
  '(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)';
const PERMIT_DETAILS = 'PermitDetails(address token,uint160 amount,uint48 expiration,uint48 nonce)';
const TOKEN_PERMISSIONS = 'TokenPermissions(address token,uint256 amount)';

/** How permits of Permit2 with a witness begin; the witness is the next field. */
const WITNESS_PERMITS = [
  'PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,',
  'PermitBatchWitnessTransferFrom(TokenPermissions[] permitted,address spender,uint256 nonce,uint256 deadline,',
];

/** Permits by their type, written out as EIP-712's `encodeType` does. */
const PERMITS: ReadonlyMap<string, Describe> = new Map([
  ['Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)', describeErc2612],
  ['Permit(address holder,address spender,uint256 nonce,uint256 expiry,bool allowed)', describeDai],
  ['Permit(address spender,uint256 tokenId,uint256 nonce,uint256 deadline)', describeErc4494],
  [`TransferWithAuthorization${AUTHORIZATION_3009}`, describeErc3009],
  [`ReceiveWithAuthorization${AUTHORIZATION_3009}`, describeErc3009],
  [
    `PermitSingle(PermitDetails details,address spender,uint256 sigDeadline)${PERMIT_DETAILS}`,
    describeAllowance,
  ],
  [
    `PermitBatch(PermitDetails[] details,address spender,uint256 sigDeadline)${PERMIT_DETAILS}`,
    describeAllowance,
  ],
  [
    `PermitTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline)${TOKEN_PERMISSIONS}`,
    describeTransferPermit,
  ],
  [
    `PermitBatchTransferFrom(TokenPermissions[] permitted,address spender,uint256 nonce,uint256 deadline)${TOKEN_PERMISSIONS}`,
    describeTransferPermit,
  ],
]);
