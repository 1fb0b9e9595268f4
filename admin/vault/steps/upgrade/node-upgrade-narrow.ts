import { assertAllRun } from '../../../upgrade/index.ts';
import { digestOf } from '../../exchange/index.ts';
import { roleOfNode } from '../../index.ts';
import { StepError } from '../errors.ts';
import { isSamePolicy, putKeyPolicy, readKeyPolicy } from '../key-policy.ts';
import type { Step } from '../step.ts';
import { describeUpgradeKey } from './node-upgrade-gate.ts';
import { attestAll } from './nodes.ts';
import { factsOf, findUpgradeStatement, type Upgrade } from './upgrade.ts';

/** Step that takes the admission of the old image away, once every node attests the new one to the admin themselves. */
export function nodeUpgradeNarrow(upgrade: Upgrade, node: number): Step<'upgrade-narrow'> {
  const role = roleOfNode(node);
  return {
    id: `${role}/upgrade-narrow`,
    role,
    name: 'upgrade-narrow',
    stage: 2,
    summary: 'see every node run the new image, and refuse the old one',
    needs: [`${role}/upgrade-gate`, 'infrastructure/upgrade-nodes'],
    async inspect(context) {
      const { key, policies } = await describeUpgradeKey(context, upgrade, node);
      const current = await readKeyPolicy(key, context);
      const stated = await findUpgradeStatement(context, upgrade, role, 'upgrade-narrow');
      if (stated !== undefined && isSamePolicy(current, policies.narrowed)) return { state: 'done' };
      assertOverlap(key.keyArn, current, policies);
      // What infrastructure says of them is not enough to take the way back away.
      assertAllRun('new', await attestAll(context, upgrade, 'new'));
      return { state: 'ready', changes: [`narrows the policy of ${key.keyArn} to the new image alone`] };
    },
    async apply(context) {
      const { key, policies } = await describeUpgradeKey(context, upgrade, node);
      const current = await readKeyPolicy(key, context);
      assertOverlap(key.keyArn, current, policies);
      assertAllRun('new', await attestAll(context, upgrade, 'new'));
      if (!isSamePolicy(current, policies.narrowed)) await putKeyPolicy(key, policies.narrowed, context);
      return {
        facts: {
          upgrade: factsOf(upgrade),
          policy: digestOf(Buffer.from(policies.narrowed)),
        },
        files: [],
      };
    },
  };
}

/** @throws StepError VAULT_KEY_POLICY_CHANGED where the policy in force is neither the overlap's nor the narrowed one */
function assertOverlap(
  keyArn: string,
  current: string,
  { overlap, narrowed }: { readonly overlap: string; readonly narrowed: string },
): void {
  if (isSamePolicy(current, overlap) || isSamePolicy(current, narrowed)) return;
  throw new StepError('VAULT_KEY_POLICY_CHANGED', 'the policy in force is not that of the overlap', {
    keyArn,
  });
}
