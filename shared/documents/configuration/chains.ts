import * as z from 'zod';
import { assertAddress } from '../../addresses.ts';

/**
 * A network by CAIP-2, of the namespaces whose transactions a node reads. The list is closed: a network that is
 * misspelt would never match, and a rule that denies by it would never deny.
 */
const NETWORK =
  /^(eip155:[1-9][0-9]{0,19}|bip122:[0-9a-f]{32}|tezos:Net[1-9A-HJ-NP-Za-km-z]{12}|solana:[1-9A-HJ-NP-Za-km-z]{32})$/;
export const network = z
  .string()
  .regex(NETWORK, { error: 'expected a network by CAIP-2, such as eip155:1, of a chain that a node reads' });

export const namespaceOf = (name: string): string => name.slice(0, name.indexOf(':'));

/** Tells whether a key may serve these networks: Bitcoin, Tezos and Solana transactions do not name theirs. */
export function areNetworksOfOneKey(networks: readonly string[]): boolean {
  const others = networks.map(namespaceOf).filter((namespace) => namespace !== 'eip155');
  return new Set(others).size === others.length;
}

/** Splits an account by CAIP-10 into its network and address; undefined where it is no account. */
export function splitAccount(account: string): { network: string; address: string } | undefined {
  const end = account.indexOf(':', account.indexOf(':') + 1);
  if (end < 0 || !NETWORK.test(account.slice(0, end))) return undefined;
  return { network: account.slice(0, end), address: account.slice(end + 1) };
}

/** Reports an address that its chain does not know in this form; `path` is that of the address. */
export function checkAddress(
  context: z.RefinementCtx,
  { network: chain, address }: { network: string; address: string },
  path: readonly (string | number)[] = [],
): void {
  try {
    assertAddress(chain, address);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    context.addIssue({ code: 'custom', path: [...path], message: error.message });
  }
}

/** An account or contract by CAIP-10: network and address in the chain's own notation. */
export const account = z
  .string()
  .max(192)
  .superRefine((value, context) => {
    const parts = splitAccount(value);
    if (parts === undefined) {
      context.addIssue({ code: 'custom', message: 'expected an account by CAIP-10: network:address' });
    } else {
      checkAddress(context, parts);
    }
  });

const MAINNET_OF_BITCOIN = 'bip122:000000000019d6689c085ae165831e93';
const EVM_ADDRESS = '0x[0-9a-fA-F]{40}';
const BASE58 = '[1-9A-HJ-NP-Za-km-z]';
const TOKEN_ID = '(?:0|[1-9][0-9]{0,77})';

/**
 * The assets that decoders name, by CAIP-2 namespace. The list is closed as that of networks is: in an asset that no
 * transaction has, a limit counts nothing and a denial denies nothing.
 */
const ASSETS: ReadonlyMap<string, RegExp> = new Map([
  [
    'eip155',
    new RegExp(`^(?:slip44:60|(?:erc20|erc721|token):${EVM_ADDRESS}|erc1155:${EVM_ADDRESS}/${TOKEN_ID})$`),
  ],
  ['tezos', new RegExp(`^(?:slip44:1729|fa12:KT1${BASE58}{33}|fa2:KT1${BASE58}{33}/${TOKEN_ID})$`)],
  ['solana', new RegExp(`^(?:slip44:501|token:${BASE58}{32,44})$`)],
]);

function isAssetOf(chain: string, name: string): boolean {
  // Coins of test networks have the number of coins that are worth nothing.
  if (namespaceOf(chain) === 'bip122')
    return name === (chain === MAINNET_OF_BITCOIN ? 'slip44:0' : 'slip44:1');
  return ASSETS.get(namespaceOf(chain))?.test(name) === true;
}

/** An asset by CAIP-19, as decoders name it: a coin, a token, or of a contract with many tokens one of them. */
export const asset = z
  .string()
  .max(256)
  .superRefine((value, context) => {
    const chain = value.slice(0, Math.max(0, value.indexOf('/')));
    const name = value.slice(chain.length + 1);
    if (!NETWORK.test(chain)) {
      context.addIssue({ code: 'custom', message: 'expected an asset of a known network' });
    } else if (!isAssetOf(chain, name)) {
      context.addIssue({ code: 'custom', message: 'no transaction of this network has such an asset' });
    } else if (namespaceOf(chain) === 'eip155' && !name.startsWith('slip44:')) {
      const [address = ''] = name.slice(name.indexOf(':') + 1).split('/');
      checkAddress(context, { network: chain, address });
    }
  });
