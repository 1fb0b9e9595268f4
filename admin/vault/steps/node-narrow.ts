import { parsePcrFile } from '../../../attestation/index.ts';
import { diffKeyPolicies } from '../../../attestation/key-policy/index.ts';
import { digestOf } from '../exchange/index.ts';
import { roleOfNode } from '../index.ts';
import type { StepContext } from './context.ts';
import { StepError } from './errors.ts';
import {
  describeNodeKey,
  isSamePolicy,
  type NodeKey,
  putKeyPolicy,
  readKeyPolicy,
  renderNodePolicy,
} from './key-policy.ts';
import { describePermission } from './node-gate.ts';
import type { Step } from './step.ts';
import { needStatement, readManifestBytes } from './support.ts';
import { findUpgradeState } from './upgrade/state.ts';

/** Step that takes away what the first start alone needed, once the admin has seen the node attest and serve. */
export function nodeNarrow(node: number): Step<'narrow'> {
  const role = roleOfNode(node);
  return {
    id: `${role}/narrow`,
    role,
    name: 'narrow',
    stage: 2,
    summary: 'see the node serve, and take away what its first start alone needed',
    needs: [`${role}/gate`, 'infrastructure/start'],
    async inspect(given) {
      const context = await withRunning(given);
      const key = await describeNodeKey(context, node);
      const policy = renderNodePolicy(key, false);
      const current = await readKeyPolicy(key, context);
      if (isSamePolicy(current, policy) && (await context.exchange.statement(role, 'narrow')) !== undefined)
        return { state: 'done' };
      const { lost } = assertNarrower(key, current, policy, context);
      await attest(context, node);
      return {
        state: 'ready',
        changes: [
          `narrows the policy of ${key.keyArn}`,
          ...lost.map((change) => `  no longer permits ${describePermission(change)}`),
        ],
      };
    },
    async apply(given) {
      const context = await withRunning(given);
      const key = await describeNodeKey(context, node);
      const policy = renderNodePolicy(key, false);
      const current = await readKeyPolicy(key, context);
      assertNarrower(key, current, policy, context);
      const { log, witness } = await attest(context, node);
      if (!isSamePolicy(current, policy)) await putKeyPolicy(key, policy, context);
      return { facts: { policy: digestOf(Buffer.from(policy)), log, witness }, files: [] };
    },
  };
}

/** The same context, with the release that the nodes run: after an upgrade it is no longer that of vault.yaml. */
async function withRunning(context: StepContext): Promise<StepContext> {
  const { running } = await findUpgradeState(context.vault, context.exchange);
  return { ...context, release: async () => await context.release(running) };
}

async function attest(context: StepContext, node: number) {
  const { facts } = await needStatement(context, 'infrastructure', 'start');
  const { pcrJson } = await context.release();
  const started = facts.nodes.find((one) => one.node === node);
  if (started === undefined) throw new TypeError('expected the address of each node');
  const manifest = await readManifestBytes(context, node);
  return await context.attest(started.url, { manifest, pcrs: parsePcrFile(pcrJson) });
}

/** @throws StepError VAULT_KEY_POLICY_CHANGED where the policy in force is not the one that the gate has put */
function assertNarrower({ keyArn }: NodeKey, current: string, policy: string, { clock }: StepContext) {
  const difference = diffKeyPolicies(current, policy, { keyArn, now: clock() });
  if (difference.gained.length === 0) return difference;
  throw new StepError(
    'VAULT_KEY_POLICY_CHANGED',
    'the policy in force is not the one that the gate has put',
    {
      keyArn,
      lacks: difference.gained.map(describePermission),
    },
  );
}
