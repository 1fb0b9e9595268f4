import { errorCode, HoldfastError } from '../../../../shared/errors.ts';
import { parsePcrFile, type PcrValues } from '../../../../attestation/index.ts';
import type { StepContext } from '../context.ts';
import { StepError } from '../errors.ts';
import { describeNode } from '../support.ts';
import { findUpgradeState } from '../upgrade/state.ts';
import { findNewestToRun, needNewest } from './newest.ts';

/** What a node attests just now, or why it does not. */
export type SeenNode =
  | {
      readonly node: number;
      /** Version of the release whose image it attests. */
      readonly release: string;
      /** Version of its configuration in force. */
      readonly version: number;
    }
  | { readonly node: number; readonly release: null; readonly code: string };

/** Releases that nodes may run by what was stated: one, and two while an upgrade is under way. */
export async function findReleases({ vault, exchange }: StepContext): Promise<readonly string[]> {
  const { running, open } = await findUpgradeState(vault, exchange);
  return [...new Set([running, ...(open === undefined ? [] : [open.upgrade.to, open.upgrade.from])])];
}

/**
 * Asks a node which of some releases it runs, and with which configuration, as a client that verifies its attestation.
 *
 * @throws ReleaseError RELEASE_…; ExchangeError STATEMENT_…
 */
export async function seeNode(
  context: StepContext,
  node: number,
  releases: readonly string[],
): Promise<SeenNode> {
  const { url, manifest } = await describeNode(context, node);
  let code = 'NODE_UNREACHABLE';
  for (const release of releases) {
    const pcrs: PcrValues = parsePcrFile((await context.release(release)).pcrJson);
    try {
      const { version } = await context.attest(url, { manifest, pcrs });
      return { node, release, version };
    } catch (error) {
      if (!(error instanceof HoldfastError) && !(error instanceof Error && 'code' in error)) throw error;
      code = errorCode(error);
    }
  }
  return { node, release: null, code };
}

/**
 * Asserts that a node runs no configuration of which its admin has told nobody: what is derived from the newest one that was
 * stated would take back what that one has brought, and the node would refuse a version that is not above its own.
 *
 * @throws StepError VAULT_CONFIGURATION_DIFFERS
 */
export async function assertNothingUnstated(context: StepContext, seen: SeenNode): Promise<void> {
  if (seen.release === null) return;
  const { version: stated } = await needNewest(context, seen.node);
  if (seen.version > stated) throw differs(seen.node, stated, seen.version);
}

/**
 * Asserts the same of all nodes of a vault that answer.
 *
 * @param releases versions of those that nodes may run
 * @throws StepError VAULT_CONFIGURATION_DIFFERS
 */
export async function assertAllStated(context: StepContext, releases: readonly string[]): Promise<void> {
  const seen = await Promise.all(
    context.vault.nodes.map(async ({ node }) => await seeNode(context, node, releases)),
  );
  for (const one of seen) await assertNothingUnstated(context, one);
}

/**
 * Asserts besides that a node runs all that its admin has stated and that infrastructure is to have brought by now.
 *
 * @returns lines for a person about a node that nobody could ask
 * @throws StepError VAULT_CONFIGURATION_DIFFERS
 */
export async function assertInForce(context: StepContext, seen: SeenNode): Promise<readonly string[]> {
  if (seen.release === null)
    return [
      `  node ${seen.node} has not attested its configuration in force (${seen.code}), so that nobody has compared it`,
    ];
  await assertNothingUnstated(context, seen);
  const toRun = await findNewestToRun(context.exchange, seen.node);
  if (seen.version < (toRun?.version ?? 0)) throw differs(seen.node, toRun?.version ?? 0, seen.version);
  return [];
}

function differs(node: number, stated: number, inForce: number): StepError {
  return new StepError(
    'VAULT_CONFIGURATION_DIFFERS',
    'the node runs another configuration than its admin has stated last',
    { node, stated, inForce },
  );
}
