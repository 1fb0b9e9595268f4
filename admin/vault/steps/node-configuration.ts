import { parsePcrFile } from '../../../attestation/index.ts';
import {
  type ConfigurationDocument2,
  openConfiguration,
  parseConfiguration,
} from '../../../shared/documents/configuration.ts';
import { parseManifest } from '../../../shared/documents/manifest.ts';
import type { NodeManifest } from '../../quorum/index.ts';
import { deriveConfiguration, encodeConfiguration, ORDER_ID } from '../derive/configuration.ts';
import { findNode, readNodeManifest } from '../derive/manifest.ts';
import { digestOf, type Statement } from '../exchange/index.ts';
import { roleOfNode } from '../index.ts';
import { assertNotOver, isOver } from './configuration/newest.ts';
import type { StepContext } from './context.ts';
import { assertOneRelease } from './node-release.ts';
import { planConfiguration, signPlanned, type SigningOrder } from './sign-configuration.ts';
import type { Step } from './step.ts';
import { formatTime, needStatementsOfNodes, ofAllNodes, readManifestBytes } from './support.ts';

/** Lifetime of the order to initialise: as long as a ceremony may last, in milliseconds. */
const ORDER_MS = 30 * 86_400_000;
/** Name under which the journal keeps the end of the order that a person was shown. */
const ORDER_END = 'order-end';

/** Step that signs a node's first configuration: the other nodes as peers, and the order to make its password, once. */
export function nodeConfiguration(vault: StepContext['vault'], node: number): Step<'configuration'> {
  const role = roleOfNode(node);
  return {
    id: `${role}/configuration`,
    role,
    name: 'configuration',
    stage: 1,
    summary: 'sign the first configuration, with the order to initialise the node once',
    // Of the manifests and releases of all nodes, peers are made.
    needs: [
      ...ofAllNodes(vault, 'manifest'),
      ...(hasFunction(vault, node) ? [`${role}/signing-function`] : []),
      ...ofAllNodes(vault, 'release'),
    ],
    isShownFirst: hasFunction(vault, node),
    inspect: async (context) => {
      if (await isOver(context, node, 'configuration')) return { state: 'done' };
      await assertOneRelease(context);
      const stated = await context.exchange.statement(role, 'configuration');
      const until = stated === undefined ? undefined : await readOrderEnd(context, stated);
      if (stated !== undefined && until !== undefined) {
        const { version } = stated.facts;
        const expected = await deriveFrom(context, node, { version, orderUntil: until });
        if (stated.facts.configuration === digestOf(encodeConfiguration(expected))) return { state: 'done' };
      }
      const order = await orderFirst(context, node, stated);
      const { version, changes } = await planConfiguration(context, order);
      const { clients, keys, rules } = parseConfiguration(await order.derive(version));
      return {
        state: 'ready',
        changes: [
          `signs configuration ${version} of node ${node}: ${count(clients, 'client')}, ${count(keys, 'key')}, ${count(rules, 'rule')}`,
          `with the order ${ORDER_ID}, by which the node makes its password once`,
          ...changes,
        ],
      };
    },
    async apply(context) {
      await assertNotOver(context, node, 'configuration');
      await assertOneRelease(context);
      const stated = await context.exchange.statement(role, 'configuration');
      const signed = await signPlanned(context, await orderFirst(context, node, stated));
      return {
        facts: { configuration: signed.digest, version: signed.version },
        files: [{ name: 'configuration.json', bytes: signed.envelope }],
      };
    },
  };
}

/** Whether the function of a node's stack is one of its authorities. */
export function hasFunction(vault: StepContext['vault'], node: number): boolean {
  return findNode(vault, node).configurationAuthority.function;
}

/** Orders the first configuration: the end of the order in it stays the same until it is signed. */
async function orderFirst(
  context: StepContext,
  node: number,
  stated: Statement<'configuration'> | undefined,
): Promise<SigningOrder> {
  const now = context.clock();
  const known = context.journal.get(ORDER_END) as string | undefined;
  const isLong = known !== undefined && Date.parse(known) - now > ORDER_MS / 2;
  const orderUntil = isLong ? known : formatTime(now + ORDER_MS);
  if (!isLong) await context.journal.set(ORDER_END, orderUntil);
  return {
    node,
    step: 'configuration',
    version: stated?.facts.version ?? 1,
    derive: async (version) => encodeConfiguration(await deriveFrom(context, node, { version, orderUntil })),
  };
}

/** Reads and measures the manifests of all nodes, each held against vault.yaml. */
export async function readManifests(context: StepContext): Promise<readonly NodeManifest[]> {
  const manifests: NodeManifest[] = [];
  for (const { node, statement } of await needStatementsOfNodes(context, 'manifest')) {
    const bytes = await context.exchange.file(statement, 'manifest.json');
    manifests.push(readNodeManifest(context.vault, node, bytes));
  }
  return manifests;
}

/** Derives a configuration from what all nodes' admins have stated. */
export async function deriveFrom(
  context: StepContext,
  node: number,
  inputs: {
    readonly version: number;
    readonly orderUntil: string | null;
    readonly verifierKeys?: readonly string[];
    readonly isCosigned?: boolean;
  },
): Promise<ConfigurationDocument2> {
  const { pcrJson } = await context.release();
  return deriveConfiguration(context.vault, node, {
    ...inputs,
    manifests: await readManifests(context),
    images: [{ pcrs: parsePcrFile(pcrJson), notAfter: null }],
  });
}

/** Reads until when the order of a configuration holds that was stated; undefined where it has none. */
async function readOrderEnd(context: StepContext, stated: Statement): Promise<string | undefined> {
  const bytes = await context.exchange.file(stated, 'configuration.json');
  const manifest = await readManifestBytes(context, nodeOf(stated));
  const { configuration } = openConfiguration(bytes, {
    manifest: parseManifest(manifest),
    digest: new Uint8Array(Buffer.from(digestOf(manifest), 'hex')),
  });
  return configuration.initialise?.notAfter;
}

function nodeOf({ role }: Statement): number {
  return Number(role.slice('node-'.length));
}

function count(list: readonly unknown[], noun: string): string {
  return `${list.length} ${noun}${list.length === 1 ? '' : 's'}`;
}
