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

/** An asset by CAIP-19: a type, or one token of a type. */
export const asset = z
  .string()
  .regex(
    /^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}\/[-a-z0-9]{3,8}:[-.%a-zA-Z0-9]{1,128}(\/[-.%a-zA-Z0-9]{1,78})?$/,
    { error: 'expected an asset by CAIP-19, such as eip155:1/slip44:60' },
  )
  .superRefine((value, context) => {
    const [chain = '', type = ''] = value.split('/');
    if (!NETWORK.test(chain)) {
      context.addIssue({ code: 'custom', message: 'expected an asset of a known network' });
    } else if (namespaceOf(chain) === 'eip155' && /^(erc[0-9]+|token):/.test(type)) {
      checkAddress(context, { network: chain, address: type.slice(type.indexOf(':') + 1) });
    }
  });
