import type { CodeArea } from './area.ts';

/** Codes of the mathematics of shared keys, in nodes and clients alike. */
export const THRESHOLD_CODES: readonly CodeArea[] = [
  {
    title: 'Shared keys',
    who: 'a node in a ceremony or a signature of a quorum, a client that deals shares; the details name the culprits, where their fault can be shown',
    next: 'Look at the nodes that the details name: at their images, their clocks and their epochs; nothing was signed and no share changed.',
    codes: {
      CEREMONY_RESULT_INVALID: 'the ceremony would end with another key, or with one that cannot be used',
      DERIVATION_INVALID: [
        'a path, a chain code or a root that derives no key',
        'Take indices from 0 to 2147483647 and a chain code of 32 bytes.',
      ],
      DERIVATION_UNSUPPORTED: [
        'keys of this type have no such children or tweaks',
        'Use a frost-secp256k1-taproot key, or a key of its own for each purpose.',
      ],
      GROUP_INVALID: 'threshold, signers or commitments are not those of a group',
      GROUP_SHARE_INVALID: 'a share is not the one that its group promises',
      NONCES_SPENT: 'nonces that have signed already; ask again',
      NONCE_COMMITMENTS_INVALID: "nonce commitments are no elements of the group, or are another signer's",
      OWN_COMMITMENTS_ALTERED: 'the coordinator changed the commitments that this node had made',
      PACKAGE_INVALID: 'a package of another ceremony, with wrong commitments or without a valid proof',
      PACKAGE_MALFORMED: 'bytes that are no package of a ceremony',
      PARTICIPANTS_INVALID: 'participants are unknown, too few, repeated or not in ascending order',
      SECRET_PART_INVALID: 'a secret part does not fit what its sender has published',
      SIGNATURE_SHARES_INVALID: 'signature shares are missing or wrong, or of another epoch',
    },
  },
];
