import type { PoolKey, PoolList } from '../../client/index.ts';
import { printable } from '../common/printable.ts';

/** Describes the pools that a client sees, and their keys with their state. */
export function describePools(pools: PoolList['pools']): string {
  if (pools.length === 0) return 'no pool that this client sees';
  return pools
    .map(({ id, types, maximum, keys, grants }) =>
      [
        `${id}  ${keys.length} of ${maximum} keys, of ${types.join(', ')}`,
        `  may       ${grants.operations.length === 0 ? 'nothing' : grants.operations.join(', ')}`,
        ...keys.map(describeKey),
      ].join('\n'),
    )
    .join('\n\n');
}

function describeKey({ id, type, usage, state, deletionTime, description, aliases, tags }: PoolKey): string {
  const ends = deletionTime === null ? '' : ` until ${new Date(deletionTime).toISOString()}`;
  return [
    `  ${id}  ${type} to ${usage}, ${state}${ends}`,
    ...(description === '' ? [] : [`    ${printable(description)}`]),
    ...(aliases.length === 0 ? [] : [`    aliases ${aliases.map(printable).join(', ')}`]),
    ...tags.map(({ key, value }) => `    tag ${printable(key)} = ${printable(value)}`),
  ].join('\n');
}
