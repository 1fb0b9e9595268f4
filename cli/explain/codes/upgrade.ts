import type { CodeArea } from './area.ts';

export const UPGRADE_CODES: readonly CodeArea[] = [
  {
    title: 'Upgrades of a quorum',
    who: 'the roll-out of a new image, node by node',
    next: 'Nothing further was touched. Mend the cause and resume, or roll back within the overlap (docs/upgrade.md).',
    codes: {
      UPGRADE_NODE_NOT_SERVING: [
        'a node does not serve with the image; reason is its code, or that of its host',
        'Mend the cause and run "holdfast vault upgrade resume", or "rollback", which goes past a node that stays down. A host that is gone is made anew by "holdfast vault apply", in an upgrade too (docs/upgrade.md).',
      ],
      UPGRADE_NODE_OTHER_IMAGE: 'a node serves and attests another image than the one that was deployed',
      UPGRADE_NO_SPARE_NODE: [
        'the quorum needs all of its nodes to sign: none can be taken down without stopping it',
        'Hand the keys on to more nodes first (quorum reshare).',
      ],
      UPGRADE_OVERLAP_EXPIRED: [
        'the old image is no longer admitted, or not for long enough to roll back',
        'Roll back, and begin again with a later day. Once the day is over, only nodes that can no longer sign are brought to the new image.',
      ],
      UPGRADE_OVERLAP_LENGTH: [
        'the overlap ends too soon or too late',
        'Name a day within 30 days, later than in an hour.',
      ],
      UPGRADE_QUORUM_AT_RISK: [
        'fewer nodes than the threshold could sign while this one is down; nothing was touched',
        'Bring the nodes that others names back first. What is down on a host that is up, the run starts by itself; a host that is gone is made anew by "holdfast vault apply" (docs/upgrade.md).',
      ],
      UPGRADE_QUORUM_NOT_SIGNING: 'the node serves, and the quorum does not sign with it; reason is its code',
      UPGRADE_STOPPED: [
        'an earlier run has stopped at a node, and nobody has decided since; reason is the code',
        'Mend the cause and run "holdfast vault upgrade resume", or go back by "holdfast vault upgrade rollback".',
      ],
      UPGRADE_UNFINISHED: [
        'not every node runs the new image, or, after a roll back, one attests it or fewer than the threshold attest the old one',
        'Finish the roll-out, or the roll back, before the policies are changed. A node that is down keeps nobody from the way back.',
      ],
    },
  },
];
