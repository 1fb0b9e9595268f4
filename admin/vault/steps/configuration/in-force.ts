import { ConfigurationError } from '../../../../shared/documents/errors.ts';
import { errorCode, HoldfastError } from '../../../../shared/errors.ts';
import { parsePcrFile, type PcrValues } from '../../../../attestation/index.ts';
import { ExchangeError } from '../../exchange/index.ts';
import { type Role, roleOfNode } from '../../index.ts';
import type { StepContext } from '../context.ts';
import { StepError } from '../errors.ts';
import { describeNode } from '../support.ts';
import { findUpgradeState } from '../upgrade/state.ts';
import { findNewestToRun, needNewest, readNewest } from './newest.ts';

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

/** Releases that nodes may run by what was stated: one, and two while an upgrade is under way that is not one admin's alone. */
export async function findReleases({ vault, exchange }: StepContext): Promise<readonly string[]> {
  const { running, open } = await findUpgradeState(vault, exchange);
  return [...new Set([running, ...(open?.isShared === true ? [open.upgrade.to, open.upgrade.from] : [])])];
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
 * Finds why a run has to leave a node as it is: its admin has stated an older configuration than it runs, or what nobody can
 * believe. That keeps no other node from anything.
 *
 * @param assertMore asserts what else the run wants of that admin's statements
 * @returns the refusal, or null
 */
export async function findObstacle(
  context: StepContext,
  seen: SeenNode,
  assertMore?: () => Promise<void>,
): Promise<HoldfastError | null> {
  try {
    await readNewest(context, seen.node);
    await assertNothingUnstated(context, seen);
    await assertMore?.();
    return null;
  } catch (error) {
    if (error instanceof HoldfastError) return error;
    throw error;
  }
}

/** Node that a run leaves as it is, and why. */
export interface LeftNode {
  readonly node: number;
  readonly error: unknown;
}

/** Words for a person about a node that a run leaves as it is. */
export function describeLeft({ node, error }: LeftNode): string {
  return `leaves node ${node} as it is (${errorCode(error)}): ${waitsFor({ node, error })} has to do something first`;
}

/** Says which nodes were left, and who has to do something before a later run takes them along. */
export function nodesLeft(left: readonly LeftNode[]): StepError {
  return new StepError('VAULT_NODES_LEFT', 'nodes were left as they are, and the others went on', {
    left: left.map((one) => ({
      node: one.node,
      code: errorCode(one.error),
      waitsFor: waitsFor(one),
      ...(one.error instanceof HoldfastError ? { said: one.error.details } : {}),
    })),
  });
}

/** Codes of what a node's admin has stated, or has not. */
const OF_ADMINS: readonly string[] = [
  'VAULT_CONFIGURATION_DIFFERS',
  'VAULT_REBUILD_MISSING',
  'VAULT_RELEASE_DIFFERS',
];

/** Role whose turn it is: the admin, of what they have stated; infrastructure, of its hosts. */
function waitsFor({ node, error }: LeftNode): Role {
  const isStated =
    error instanceof ExchangeError ||
    error instanceof ConfigurationError ||
    (error instanceof StepError && OF_ADMINS.includes(error.code));
  return isStated ? roleOfNode(node) : 'infrastructure';
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
