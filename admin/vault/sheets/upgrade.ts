import type { VaultDocument } from '../document.ts';
import { findNode } from '../derive/manifest.ts';
import { describeRole, nodeOfRole, type Role } from '../roles.ts';
import { ASKS, EXCHANGE, profilesStep, REBUILD_PLACE, RESUME, SAME_BYTES } from './common-steps.ts';
import type { Procedure, SheetStep } from './procedure.ts';
import { type SheetRole, titleOf } from './sheet-role.ts';

/** Stands for the release that nodes shall run, which vault.yaml does not name. */
const VERSION = 'VERSION';

const STATUS: SheetStep = {
  title: 'See how far everybody is, and until when there is a way back',
  command: 'holdfast vault upgrade status --vault vault.yaml',
  expect: 'The release that runs, and for each node "narrowed": its key admits the new image alone.',
  otherwise: 'It says who waits for whom, reminds of the day, and what has stopped.',
};

/** Derives what the admin of a role does from the news of a release to nodes that run it. */
export function upgradeProcedure(document: VaultDocument, role: Role): Procedure {
  const { account } = describeRole(document, role);
  const node = nodeOfRole(role);
  return {
    name: 'upgrade',
    title: titleOf(document, 'upgrade, run sheet', role),
    before: [
      `The version that you agreed on, in place of ${VERSION}${node === undefined ? '' : ', and the day until which the old image stays admitted, in place of DAY: within 30 days, later than the work may take'}.`,
      `Credentials of one of your roles in account ${account}, and of no other account of this vault.`,
      ...(node === undefined
        ? [
            'A client of the vault that is yours, in place of CLIENT, its key file keys/CLIENT.pem, and a shared key that it may sign messages with and that controls nothing, in place of KEYID: the quorum signs a sentence with it, as proof (docs/upgrade.md). No client of wallets or owners.',
          ]
        : []),
      SAME_BYTES,
    ],
    steps: node === undefined ? infrastructureSteps() : nodeSteps(document, node),
    afterwards: [
      'Every node runs the new image, and no key admits the old one.',
      'To go back before the keys are narrowed, the same command has "holdfast vault upgrade rollback" in place of "apply --to VERSION": infrastructure begins, then each node admin, then infrastructure once more.',
      'Keep releases/ with the release that runs: later runs and the next upgrade read it.',
    ],
  };
}

/** Derives what somebody without an account does once nodes run another release: their profiles name its measurements. */
export function followUpgradeProcedure(
  document: VaultDocument,
  role: Exclude<SheetRole, Role>,
  client?: { readonly client: string; readonly key: string },
): Procedure {
  return {
    name: 'upgrade',
    title: titleOf(document, 'upgrade, run sheet', role),
    before: [
      `The version that nodes run now, in place of ${VERSION}, as the admins have told you.`,
      'The folder exchange/ as it is after the upgrade.',
    ],
    steps: [fetchStep(), profilesStep(client)],
    afterwards: [
      `${client === undefined ? 'Verify the backups that owners make now, by backup.md.' : 'Have every key backed up again, by backup.md.'} An older backup is verified by the pcr.json of its own release, releases/OLD/pcr.json, where OLD is that version: keep it as long as such backups count.`,
    ],
  };
}

/**
 * Step that fetches and verifies the new release.
 *
 * @param rebuilds whether its reader has to rebuild the image, or may; undefined for whoever vouches for none
 */
function fetchStep(rebuilds?: VaultDocument['release']['rebuilds']): SheetStep {
  const rebuild = rebuilds === 'required' ? ' --rebuild' : '';
  return {
    title: 'Get the new release, and verify it yourself',
    command: `holdfast vault fetch ${VERSION} --vault vault.yaml${rebuild}`,
    expect: '"fetched and verified", and the PCRs, computed from the image itself.',
    otherwise: 'Stop. Ask whoever publishes the release; do not take the files from somebody else instead.',
    ...(rebuilds === 'optional' && {
      handover:
        'With a working copy of its commit, --rebuild also rebuilds the image, and your statement says so.',
    }),
    ...(rebuilds === 'required' && { handover: REBUILD_PLACE }),
  };
}

function nodeSteps(document: VaultDocument, node: number): SheetStep[] {
  const role: Role = `node-${node}`;
  const { configurationAuthority } = findNode(document, node);
  const authority =
    configurationAuthority.keys.length > 0 ? ` --authority-key keys/${role}.authority.pem` : '';
  const apply = `holdfast vault upgrade apply --to ${VERSION} --role ${role} --statement-key keys/${role}.statement.pem${authority}`;
  return [
    fetchStep(document.release.rebuilds),
    {
      title: 'Vouch for the new image, and sign the configuration that accepts both until the day',
      command: `${apply} --until DAY`,
      expect: `${ASKS} It ends with "waits for" and infrastructure.`,
      otherwise: `VAULT_RELEASE_DIFFERS: somebody vouches for other bytes. Stop, and find out who has built what. ${RESUME}`,
      handover: `${EXCHANGE} Wait for the attestation document of the new image.`,
    },
    {
      title: 'The gate: let the new image in beside the old one',
      command: apply,
      expect: 'The document is verified as the new image with your manifest; then the policy is put.',
      otherwise:
        'Any refusal is a reason to stop: ask infrastructure what runs there. A document that is too old gets another nonce: send exchange/, and wait once more.',
      handover: `${EXCHANGE} Wait until infrastructure has brought the new image to every node.`,
    },
    {
      title: 'Refuse the old image',
      command: apply,
      expect:
        'Every node attests the new image to you; then the policy is narrowed. done: every step of your role.',
      otherwise: `UPGRADE_UNFINISHED: a node does not run it, whatever was said. ${RESUME}`,
      handover: EXCHANGE,
    },
    STATUS,
  ];
}

function infrastructureSteps(): SheetStep[] {
  const apply = `holdfast vault upgrade apply --to ${VERSION} --role infrastructure --statement-key keys/infrastructure.statement.pem --client CLIENT --key keys/CLIENT.pem --sign-key KEYID`;
  return [
    fetchStep(),
    {
      title:
        'The new image shows itself on one host after the other; KMS refuses it yet, and the old one serves again',
      command: apply,
      expect: `${ASKS} The other nodes sign meanwhile. It ends with "waits for" and the node admins.`,
      otherwise: `UPGRADE_QUORUM_AT_RISK: bring the node back that is down; nothing was touched. ${RESUME}`,
      handover: `${EXCHANGE} Within two hours: an older document gets another nonce. Wait until the node admins have let the new image in.`,
    },
    {
      title: 'One node after the other runs the new image, the canary first',
      command: apply,
      expect:
        'Each node serves, attests the new image, and the quorum signs with it, before the next is touched.',
      otherwise:
        'It stops at the first refusal. Mend the cause and run the same with "resume" in place of "apply --to VERSION" ("holdfast vault upgrade resume"), or go back.',
      handover: `${EXCHANGE} Wait until the node admins have narrowed their policies.`,
    },
    STATUS,
  ];
}
