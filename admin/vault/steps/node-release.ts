import { parsePcrFile } from '../../../attestation/index.ts';
import { digestOf, type Facts } from '../exchange/index.ts';
import { roleOfNode } from '../index.ts';
import type { StepContext } from './context.ts';
import { StepError } from './errors.ts';
import type { Step } from './step.ts';
import { toHex } from './support.ts';

/** Step by which a node's admin vouches for the release that they have fetched and verified themselves. */
export function nodeRelease(node: number): Step<'release'> {
  const role = roleOfNode(node);
  return {
    id: `${role}/release`,
    role,
    name: 'release',
    stage: 1,
    summary: 'vouch for the image that you have fetched and verified',
    needs: [],
    async inspect(context) {
      const facts = await describeRelease(context);
      const stated = await context.exchange.statement(role, 'release');
      if (stated !== undefined && JSON.stringify(stated.facts) === JSON.stringify(facts))
        return { state: 'done' };
      assertRebuilt(context, node, await context.isRebuilt(facts.version));
      return {
        state: 'ready',
        changes: [`says that node ${node} is to run release ${facts.version}, PCR0 ${facts.pcrs['0'] ?? ''}`],
      };
    },
    async apply(context) {
      const facts = await describeRelease(context);
      assertRebuilt(context, node, await context.isRebuilt(facts.version));
      return { facts, files: [] };
    },
  };
}

/**
 * Asserts that a node's admin has rebuilt the image that they vouch for, where vault.yaml wants that.
 *
 * @throws StepError VAULT_REBUILD_MISSING
 */
export function assertRebuilt(
  { vault: { release } }: Pick<StepContext, 'vault'>,
  node: number,
  isRebuilt: boolean,
): void {
  if (isRebuilt || release.rebuilds === 'optional') return;
  throw new StepError('VAULT_REBUILD_MISSING', 'the admin of the node has not rebuilt the image', { node });
}

/** Describes the release at hand, as statements do. */
export async function describeRelease(context: StepContext): Promise<Facts<'release'>> {
  const { version, pcrJson } = await context.release();
  const found = parsePcrFile(pcrJson);
  const pcrs = Object.fromEntries(
    [0, 1, 2, 8].flatMap((index) => {
      const value = found.get(index);
      return value === undefined || value.every((byte) => byte === 0) ? [] : [[String(index), toHex(value)]];
    }),
  );
  return { version, pcrJson: digestOf(pcrJson), pcrs };
}

/**
 * Asserts that nodes' admins vouch for the release at hand.
 *
 * @param nodes numbers of those that are asked; all when left out
 * @throws StepError VAULT_RELEASE_DIFFERS
 */
export async function assertOneRelease(
  context: StepContext,
  nodes: readonly number[] = context.vault.nodes.map(({ node }) => node),
): Promise<Facts<'release'>> {
  const own = await describeRelease(context);
  for (const node of nodes) {
    const stated = await context.exchange.statement(roleOfNode(node), 'release');
    if (stated === undefined || JSON.stringify(stated.facts) === JSON.stringify(own)) continue;
    throw new StepError('VAULT_RELEASE_DIFFERS', 'the admin of a node vouches for another release', {
      node,
      expected: { version: own.version, pcrs: own.pcrs },
      actual: { version: stated.facts.version, pcrs: stated.facts.pcrs },
    });
  }
  return own;
}
