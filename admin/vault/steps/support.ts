import { readNodeManifest } from '../derive/manifest.ts';
import { ExchangeError, type Statement, type StepName } from '../exchange/index.ts';
import { type Role, roleOfNode, type VaultDocument } from '../index.ts';
import type { StepContext } from './context.ts';
import { nodeUrl } from './deployment.ts';
import type { Awaited, Ceremony } from './step.ts';

/** Reads a statement that a step needs, and that was found before. @throws ExchangeError STATEMENT_… */
export async function needStatement<Name extends StepName>(
  { exchange }: StepContext,
  role: Role,
  step: Name,
): Promise<Statement<Name>> {
  const found = await exchange.statement(role, step);
  if (found !== undefined) return found;
  throw new ExchangeError('STATEMENT_OLDER', 'a statement that was here before is gone', {
    step: `${role}/${step}`,
  });
}

/** Reads the statements of all nodes' admins about a step, in the order of the nodes. @throws ExchangeError STATEMENT_… */
export async function needStatementsOfNodes<Name extends StepName>(
  context: StepContext,
  step: Name,
): Promise<readonly { readonly node: number; readonly statement: Statement<Name> }[]> {
  const found = [];
  for (const { node } of context.vault.nodes)
    found.push({ node, statement: await needStatement(context, roleOfNode(node), step) });
  return found;
}

/**
 * Reads the bytes of a node's manifest, held against vault.yaml.
 *
 * @throws ExchangeError STATEMENT_…; VaultError VAULT_MANIFEST_DIFFERS; ManifestError MANIFEST_MALFORMED
 */
export async function readManifestBytes(context: StepContext, node: number): Promise<Uint8Array> {
  const statement = await needStatement(context, roleOfNode(node), 'manifest');
  const bytes = await context.exchange.file(statement, 'manifest.json');
  readNodeManifest(context.vault, node, bytes);
  return bytes;
}

/** URL at which clients reach a node. */
export async function urlOfNode(context: StepContext, node: number): Promise<string> {
  const { facts } = await needStatement(context, 'infrastructure', 'hosts');
  const host = facts.hosts.find((one) => one.node === node);
  if (host === undefined) throw new TypeError('expected the host of each node');
  return nodeUrl(host.address);
}

/** Node as whoever verifies its attestation needs it: where it is, and by which manifest. @throws as {@link readManifestBytes} */
export async function describeNode(
  context: StepContext,
  node: number,
): Promise<{ readonly node: number; readonly url: string; readonly manifest: Uint8Array }> {
  return { node, url: await urlOfNode(context, node), manifest: await readManifestBytes(context, node) };
}

/** Ids of a step that every node's admin has. */
export function ofAllNodes({ nodes }: VaultDocument, step: StepName): readonly string[] {
  return nodes.map(({ node }) => `${roleOfNode(node)}/${step}`);
}

/** Splits the id of a step. */
export function splitId(id: string): { readonly role: Role; readonly step: StepName } {
  const [role, step] = id.split('/');
  return { role: role as Role, step: step as StepName };
}

/**
 * Finds the steps of which the exchange has no statement that counts for the ceremony.
 *
 * @param ids of steps: role, slash, name
 * @throws ExchangeError STATEMENT_… for a statement that is not to be believed
 */
export async function findMissing(
  { exchange }: Pick<StepContext, 'exchange'>,
  ids: readonly string[],
  counts: Ceremony['counts'] = () => true,
): Promise<readonly Awaited[]> {
  const missing: Awaited[] = [];
  for (const id of ids) {
    const { role, step } = splitId(id);
    const told = await exchange.statement(role, step);
    if (told === undefined || !counts(told)) missing.push({ role, step: id });
  }
  return missing;
}

/** Writes a time as statements and configurations have it: RFC 3339 in UTC, whole seconds. */
export function formatTime(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}

export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
