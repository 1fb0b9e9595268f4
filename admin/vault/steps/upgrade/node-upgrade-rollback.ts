import { parsePcrFile } from '../../../../attestation/index.ts';
import { assertBack, type NodeReport } from '../../../upgrade/index.ts';
import { encodeConfiguration } from '../../derive/configuration.ts';
import { digestOf } from '../../exchange/index.ts';
import { roleOfNode } from '../../index.ts';
import { withImages } from '../configuration/derive.ts';
import { readNewest } from '../configuration/newest.ts';
import type { StepContext } from '../context.ts';
import { StepError } from '../errors.ts';
import { isSamePolicy, putKeyPolicy, readKeyPolicy } from '../key-policy.ts';
import { hasFunction } from '../node-configuration.ts';
import { planConfiguration, signPlanned, type SigningOrder } from '../sign-configuration.ts';
import type { Step } from '../step.ts';
import { describePolicies } from './node-upgrade-gate.ts';
import { attestAll } from './nodes.ts';
import { factsOf, findUpgradeStatement, type Upgrade } from './upgrade.ts';

/**
 * Step that takes the new image out again after a roll back, once the threshold of nodes attest the old one to the admin
 * themselves, and none the new one: out of the key's policy, and out of the configuration, which would refuse the old image of
 * the peers from the day on.
 */
export function nodeUpgradeRollback(
  vault: StepContext['vault'],
  upgrade: Upgrade,
  node: number,
): Step<'upgrade-rollback'> {
  const role = roleOfNode(node);
  const look = async (context: StepContext) => {
    const { key, policies } = await describePolicies(context, upgrade, node);
    const current = await readKeyPolicy(key, context);
    const stated = await findUpgradeStatement(context, upgrade, role, 'upgrade-rollback');
    const isBack = isSamePolicy(current, policies.before);
    if (!isBack && (policies.overlap === undefined || !isSamePolicy(current, policies.overlap))) {
      throw new StepError('VAULT_KEY_POLICY_CHANGED', 'the policy in force is not that of the overlap', {
        keyArn: key.keyArn,
      });
    }
    return { key, policy: policies.before, stated, isBack };
  };
  return {
    id: `${role}/upgrade-rollback`,
    role,
    name: 'upgrade-rollback',
    stage: 2,
    summary: 'see the nodes run the old image, and refuse the new one again',
    needs: ['infrastructure/upgrade-nodes'],
    isShownFirst: hasFunction(vault, node),
    async inspect(context) {
      const { key, stated, isBack } = await look(context);
      if (stated !== undefined && isBack) return { state: 'done' };
      const reports = await attestAll(context, upgrade, 'old');
      assertBack(reports, vault.threshold);
      const put = isBack ? [] : [`puts the policy of ${key.keyArn} that admits the old image alone`];
      const unseen = describeUnseen(reports);
      if (stated !== undefined) return { state: 'ready', changes: [...put, ...unseen] };
      const { changes } = await planConfiguration(context, await orderOld(context, upgrade, node));
      return {
        state: 'ready',
        changes: [
          ...put,
          `signs a configuration of node ${node} that accepts the old image of its peers alone, without a day`,
          ...changes,
          ...unseen,
        ],
      };
    },
    async apply(context) {
      const { key, policy, stated, isBack } = await look(context);
      assertBack(await attestAll(context, upgrade, 'old'), vault.threshold);
      if (!isBack) await putKeyPolicy(key, policy, context);
      if (stated !== undefined) {
        const bytes = await context.exchange.file(stated, 'configuration.json');
        return { facts: stated.facts, files: [{ name: 'configuration.json', bytes }] };
      }
      const signed = await signPlanned(context, await orderOld(context, upgrade, node));
      return {
        facts: {
          upgrade: factsOf(upgrade),
          policy: digestOf(Buffer.from(policy)),
          configuration: signed.digest,
          version: signed.version,
        },
        files: [{ name: 'configuration.json', bytes: signed.envelope }],
      };
    },
  };
}

/** Names the nodes that attest neither image: nobody has seen which one they run. */
function describeUnseen(reports: readonly NodeReport[]): readonly string[] {
  return reports
    .filter(({ image }) => image === null)
    .map(
      ({ node, code }) =>
        `  node ${node} has attested neither image (${code ?? 'NODE_UNREACHABLE'}): what it runs was not seen`,
    );
}

/** Orders the configuration that accepts the old image alone: the newest people, keys and rules stay. */
async function orderOld(context: StepContext, upgrade: Upgrade, node: number): Promise<SigningOrder> {
  const { configuration, version } = await readNewest(context, node);
  const { pcrJson } = await upgrade.release(upgrade.from);
  const images = [{ pcrs: parsePcrFile(pcrJson), notAfter: null }];
  return {
    node,
    step: 'upgrade-rollback',
    version: version + 1,
    derive: (next) => Promise.resolve(encodeConfiguration(withImages(configuration, next, images))),
    against: configuration,
  };
}
