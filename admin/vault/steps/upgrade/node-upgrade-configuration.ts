import { parsePcrFile } from '../../../../attestation/index.ts';
import { assertOverlapLength } from '../../../upgrade/index.ts';
import { encodeConfiguration } from '../../derive/configuration.ts';
import { roleOfNode } from '../../index.ts';
import { withImages } from '../configuration/derive.ts';
import { assertInForce, seeNode } from '../configuration/in-force.ts';
import { readNewest } from '../configuration/newest.ts';
import type { StepContext } from '../context.ts';
import { StepError } from '../errors.ts';
import { hasFunction } from '../node-configuration.ts';
import { isTooOld, NONCE_BYTES } from '../node-nonce.ts';
import { assertRebuilt } from '../node-release.ts';
import { planConfiguration, signPlanned, type SigningOrder } from '../sign-configuration.ts';
import type { Step } from '../step.ts';
import { formatTime, ofAllNodes, toHex } from '../support.ts';
import { assertAdmitsOldAlone, readUpgradeDocument } from './node-upgrade-gate.ts';
import {
  assertNotRolledBack,
  assertOneUpgrade,
  describeImages,
  describeReleases,
  factsOf,
  findUpgradeStatement,
  type Upgrade,
  withRelease,
} from './upgrade.ts';

/** Step that signs a node's configuration of the overlap, and makes the nonce for which the new image has to attest. */
export function nodeUpgradeConfiguration(
  vault: StepContext['vault'],
  upgrade: Upgrade,
  node: number,
): Step<'upgrade-configuration'> {
  const role = roleOfNode(node);
  const find = async (context: StepContext) =>
    await findUpgradeStatement(context, upgrade, role, 'upgrade-configuration');
  return {
    id: `${role}/upgrade-configuration`,
    role,
    name: 'upgrade-configuration',
    stage: 2,
    summary: 'vouch for the new image, and sign the configuration that accepts both until a day',
    needs: ['infrastructure/restart', ...ofAllNodes(vault, 'final-configuration')],
    isShownFirst: hasFunction(vault, node),
    async inspect(context) {
      await assertNotRolledBack(context, upgrade, node);
      const stated = await find(context);
      // Behind their own gate an admin sees for themselves what the nodes run, whatever another one says anew.
      const gate = await findUpgradeStatement(context, upgrade, role, 'upgrade-gate');
      const isInside = stated !== undefined && gate !== undefined;
      await assertOneUpgrade(context, upgrade, isInside ? [node] : undefined);
      if (stated !== undefined) {
        assertSameDay(stated.facts.until, upgrade);
        if (!(await isOutOfDate(context, upgrade, node))) return { state: 'done' };
        return {
          state: 'ready',
          changes: [`makes another nonce: the document of node ${node} has grown too old for the gate`],
        };
      }
      assertRebuilt(context, node, upgrade.isRebuilt);
      const until = readGivenDay(context, upgrade);
      const unseen = await assertInForce(context, await seeNode(context, node, [upgrade.from, upgrade.to]));
      const { changes } = await planConfiguration(
        context,
        await orderOverlap(context, { upgrade, node, until }),
      );
      return {
        state: 'ready',
        changes: [
          `says that node ${node} is to go from release ${upgrade.from} to ${upgrade.to}${upgrade.isRebuilt ? ', which you have rebuilt' : ', which you have not rebuilt'}`,
          ...(await describeImages(context, upgrade)),
          `signs a configuration of node ${node} that accepts the old image of its peers until ${until}`,
          ...changes,
          ...unseen,
          'makes a nonce for the enclave of the new image',
        ],
      };
    },
    async apply(context) {
      await assertNotRolledBack(context, upgrade, node);
      await assertOneUpgrade(context, upgrade);
      const stated = await find(context);
      if (stated !== undefined) {
        const bytes = await context.exchange.file(stated, 'configuration.json');
        const nonce = (await isOutOfDate(context, upgrade, node))
          ? toHex(context.random(NONCE_BYTES))
          : stated.facts.nonce;
        return { facts: { ...stated.facts, nonce }, files: [{ name: 'configuration.json', bytes }] };
      }
      assertRebuilt(context, node, upgrade.isRebuilt);
      const until = readGivenDay(context, upgrade);
      await assertInForce(context, await seeNode(context, node, [upgrade.from, upgrade.to]));
      const signed = await signPlanned(context, await orderOverlap(context, { upgrade, node, until }));
      return {
        facts: {
          upgrade: factsOf(upgrade),
          ...(await describeReleases(context, upgrade)),
          until,
          rebuilt: upgrade.isRebuilt,
          nonce: toHex(context.random(NONCE_BYTES)),
          configuration: signed.digest,
          version: signed.version,
        },
        files: [{ name: 'configuration.json', bytes: signed.envelope }],
      };
    },
  };
}

/**
 * Orders the configuration that accepts both images until the end of the overlap, RFC 3339 in UTC, and leaves the newest people,
 * keys and rules as they are. What the admin's own key admits decides from which image the node comes, and not what others have
 * stated.
 *
 * @throws StepError VAULT_KEY_POLICY_CHANGED
 */
async function orderOverlap(
  context: StepContext,
  { upgrade, node, until }: { readonly upgrade: Upgrade; readonly node: number; readonly until: string },
): Promise<SigningOrder> {
  await assertAdmitsOldAlone(context, upgrade, node);
  const [old, next] = [await upgrade.release(upgrade.from), await upgrade.release(upgrade.to)];
  const images = [
    { pcrs: parsePcrFile(next.pcrJson), notAfter: null },
    { pcrs: parsePcrFile(old.pcrJson), notAfter: until },
  ];
  const { configuration, version } = await readNewest(context, node);
  return {
    node,
    step: 'upgrade-configuration',
    version: version + 1,
    derive: (above) => Promise.resolve(encodeConfiguration(withImages(configuration, above, images))),
    against: configuration,
  };
}

/** Whether there is a document for the nonce in force that is too old for the gate, and none has passed it. */
async function isOutOfDate(context: StepContext, upgrade: Upgrade, node: number): Promise<boolean> {
  const role = roleOfNode(node);
  const stated = await findUpgradeStatement(context, upgrade, role, 'upgrade-configuration');
  if (stated === undefined) return false;
  if ((await findUpgradeStatement(context, upgrade, role, 'upgrade-gate')) !== undefined) return false;
  const document = await readUpgradeDocument(context, upgrade, node, stated.facts.nonce);
  return document !== undefined && (await isTooOld(document, withRelease(context, upgrade, 'new')));
}

/** @throws StepError VAULT_UPGRADE_DAY_DIFFERS for another day than the admin has stated */
function assertSameDay(stated: string, { until }: Upgrade): void {
  if (until === undefined || formatTime(until) === stated) return;
  throw new StepError('VAULT_UPGRADE_DAY_DIFFERS', 'you have stated another day for this upgrade', {
    expected: stated,
    actual: formatTime(until),
  });
}

/** @throws StepError VAULT_UPGRADE_DAY_MISSING; UpgradeError UPGRADE_OVERLAP_LENGTH */
function readGivenDay({ clock }: StepContext, { until }: Upgrade): string {
  if (until === undefined)
    throw new StepError(
      'VAULT_UPGRADE_DAY_MISSING',
      'nobody has said until when the old image is admitted',
      {},
    );
  assertOverlapLength(until, clock());
  return formatTime(until);
}
