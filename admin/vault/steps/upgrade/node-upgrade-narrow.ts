import { errorCode } from '../../../../shared/errors.ts';
import { assertRolledOut, type NodeReport } from '../../../upgrade/index.ts';
import { digestOf } from '../../exchange/index.ts';
import { roleOfNode } from '../../index.ts';
import type { StepContext } from '../context.ts';
import { StepError } from '../errors.ts';
import { isSamePolicy, putKeyPolicy, readKeyPolicy } from '../key-policy.ts';
import { readManifestBytes } from '../node-configuration.ts';
import type { Step } from '../step.ts';
import { describeUpgradeKey } from './node-upgrade-gate.ts';
import { urlOfNode } from './nodes.ts';
import { findUpgradeStatement, readImages, type Upgrade } from './upgrade.ts';

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
      assertRolledOut(await attestAll(context, upgrade));
      return { state: 'ready', changes: [`narrows the policy of ${key.keyArn} to the new image alone`] };
    },
    async apply(context) {
      const { key, policies } = await describeUpgradeKey(context, upgrade, node);
      const current = await readKeyPolicy(key, context);
      assertOverlap(key.keyArn, current, policies);
      assertRolledOut(await attestAll(context, upgrade));
      if (!isSamePolicy(current, policies.narrowed)) await putKeyPolicy(key, policies.narrowed, context);
      return {
        facts: {
          upgrade: { from: upgrade.from, to: upgrade.to },
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

/** Asks every node for its attestation: what infrastructure says of them is not enough to take the way back away. */
async function attestAll(context: StepContext, upgrade: Upgrade): Promise<readonly NodeReport[]> {
  const { new: pcrs } = await readImages(upgrade);
  return await Promise.all(
    context.vault.nodes.map(async ({ node }): Promise<NodeReport> => {
      const manifest = await readManifestBytes(context, node);
      try {
        await context.attest(await urlOfNode(context, node), { manifest, pcrs });
        return { node, image: 'new', canSign: true, code: null };
      } catch (error) {
        return { node, image: null, canSign: false, code: errorCode(error) };
      }
    }),
  );
}
