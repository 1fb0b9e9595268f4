import { isAddressText, printAddress, readAddressBytes } from './address.ts';
import type { Parameters } from './entrypoint.ts';
import type { Micheline } from './micheline.ts';
import { unpair } from './pairs.ts';

/** One movement or permission that a call of a token contract (FA1.2, TZIP-7; FA2, TZIP-12) asks for. */
export interface TokenAction {
  readonly type: 'transfer' | 'allowance';
  readonly standard: 'fa12' | 'fa2';
  /** Null in FA1.2, where a contract is one token. */
  readonly tokenId: bigint | null;
  /** Whose tokens move, or may be moved; null in an approval of FA1.2, which is the caller's. */
  readonly owner: string | null;
  readonly to: string;
  /** Null in an FA2 operator, who may take everything; 0 where one is removed. */
  readonly amount: bigint | null;
}

/** Longest token identifier, in decimal digits: 256 bits have 78 (CAIP-19 has room for as many). */
const MAX_TOKEN_ID = 10n ** 78n;

/**
 * Reads the parameters of `transfer`, `approve` and `update_operators`. Undefined for whatever has not exactly the shape
 * of its standard: the call is then one that no decoder knows.
 */
export function readTokenActions({ entrypoint, value }: Parameters): readonly TokenAction[] | undefined {
  switch (entrypoint) {
    case 'transfer':
      return value.type === 'sequence' ? flatten(value.items, readTransfers) : readTransfer(value);
    case 'approve':
      return readApproval(value);
    case 'update_operators':
      return value.type === 'sequence' ? flatten(value.items, readOperator) : undefined;
    default:
      return undefined;
  }
}

function flatten(
  items: readonly Micheline[],
  read: (item: Micheline) => readonly TokenAction[] | undefined,
): readonly TokenAction[] | undefined {
  const actions: TokenAction[] = [];
  for (const item of items) {
    const found = read(item);
    if (found === undefined) return undefined;
    actions.push(...found);
  }
  return actions.length === 0 ? undefined : actions;
}

/** FA1.2: `(address :from, (address :to, nat :value))`. */
function readTransfer(value: Micheline): readonly TokenAction[] | undefined {
  const [from, to, amount] = unpair(value, 3) ?? [];
  const read = { owner: readAddress(from), to: readAddress(to), amount: readNatural(amount) };
  if (read.owner === undefined || read.to === undefined || read.amount === undefined) return undefined;
  return [
    {
      type: 'transfer',
      standard: 'fa12',
      tokenId: null,
      owner: read.owner,
      to: read.to,
      amount: read.amount,
    },
  ];
}

/** FA1.2: `(address :spender, nat :value)`. */
function readApproval(value: Micheline): readonly TokenAction[] | undefined {
  const [spender, amount] = unpair(value, 2) ?? [];
  const read = { to: readAddress(spender), amount: readNatural(amount) };
  if (read.to === undefined || read.amount === undefined) return undefined;
  return [
    { type: 'allowance', standard: 'fa12', tokenId: null, owner: null, to: read.to, amount: read.amount },
  ];
}

/** FA2: `(address :from_, (list :txs (address :to_, (nat :token_id, nat :amount))))`. */
function readTransfers(value: Micheline): readonly TokenAction[] | undefined {
  const [from, transfers] = unpair(value, 2) ?? [];
  const owner = readAddress(from);
  if (owner === undefined || transfers?.type !== 'sequence') return undefined;
  return flatten(transfers.items, (item) => {
    const [destination, id, quantity] = unpair(item, 3) ?? [];
    const to = readAddress(destination);
    const tokenId = readTokenId(id);
    const amount = readNatural(quantity);
    if (to === undefined || tokenId === undefined || amount === undefined) return undefined;
    return [{ type: 'transfer', standard: 'fa2', tokenId, owner, to, amount }];
  });
}

/** FA2: `Left` adds and `Right` removes `(address :owner, (address :operator, nat :token_id))`. */
function readOperator(value: Micheline): readonly TokenAction[] | undefined {
  if (value.type !== 'prim' || value.annotations.length > 0 || value.args.length !== 1) return undefined;
  if (value.prim !== 'Left' && value.prim !== 'Right') return undefined;
  const [argument] = value.args;
  const [from, operator, id] = (argument && unpair(argument, 3)) ?? [];
  const owner = readAddress(from);
  const to = readAddress(operator);
  const tokenId = readTokenId(id);
  if (owner === undefined || to === undefined || tokenId === undefined) return undefined;
  return [
    { type: 'allowance', standard: 'fa2', tokenId, owner, to, amount: value.prim === 'Left' ? null : 0n },
  ];
}

/** Reads an address in either of its forms, without an entrypoint. */
function readAddress(value: Micheline | undefined): string | undefined {
  if (value?.type === 'string') return isAddressText(value.value) ? value.value : undefined;
  const address = value?.type === 'bytes' ? readAddressBytes(value.value) : undefined;
  return address && printAddress(address);
}

function readNatural(value: Micheline | undefined): bigint | undefined {
  return value?.type === 'int' && value.value >= 0n ? value.value : undefined;
}

function readTokenId(value: Micheline | undefined): bigint | undefined {
  const id = readNatural(value);
  return id !== undefined && id < MAX_TOKEN_ID ? id : undefined;
}
