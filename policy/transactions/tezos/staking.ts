import { type Micheline } from './micheline.ts';
import { unpair } from './pairs.ts';

/** Entrypoints that an account has for its own stake (Octez: adaptive issuance, since protocol 019). */
const STAKING_ENTRYPOINTS = ['stake', 'unstake', 'finalize_unstake', 'set_delegate_parameters'] as const;

export function isStakingEntrypoint(entrypoint: string): entrypoint is (typeof STAKING_ENTRYPOINTS)[number] {
  return (STAKING_ENTRYPOINTS as readonly string[]).includes(entrypoint);
}

/** Reads `Pair limit (Pair edge Unit)`; undefined for any other expression. */
export function readDelegateParameters(
  value: Micheline,
): { readonly limit: bigint; readonly edge: bigint } | undefined {
  const [limit, edge, unit] = unpair(value, 3) ?? [];
  if (limit?.type !== 'int' || edge?.type !== 'int' || unit?.type !== 'prim') return undefined;
  return unit.prim === 'Unit' && unit.args.length === 0
    ? { limit: limit.value, edge: edge.value }
    : undefined;
}
