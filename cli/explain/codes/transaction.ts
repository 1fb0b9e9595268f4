import type { CodeArea } from './area.ts';

export const TRANSACTION_CODES: readonly CodeArea[] = [
  {
    title: 'Transactions that a node reads',
    who: 'the node, before any rule looks at the request; `holdfast config explain` and the approver’s page say the same',
    next: 'Look at the field that the details name; build the transaction anew with a library of its chain.',
    codes: {
      CHILD_UNSUPPORTED: [
        'the request names a child of a key that has none',
        'Leave `path` out: keys of the quorum of the type `frost-secp256k1-taproot` alone have children.',
      ],
      TRANSACTION_KEY_MISMATCH: [
        'the transaction is not one of the signing key: another source, or no input of the key’s',
        'Name the key whose account it is.',
      ],
      TRANSACTION_MALFORMED: 'the bytes are not what their kind says',
      TRANSACTION_NETWORK_MISMATCH: [
        'the transaction is for a network that the key does not serve',
        'The configuration lists the networks of a key: `keys[].networks`.',
      ],
      TRANSACTION_NOT_CANONICAL: 'the decoded fields encode to other bytes than those that came',
      TRANSACTION_TOO_LARGE:
        'more parts than a node reads: inputs, outputs, operations, instructions, nesting',
      TRANSACTION_UNSAFE: 'the chain would refuse it, or its amounts cannot be trusted',
      TRANSACTION_UNSUPPORTED: 'a type, version or operation that this image does not read',
    },
  },
  {
    title: 'Watermarks of bakers',
    who: 'the node, before it signs a block, preattestation or attestation of Tezos',
    next: 'Look at which level and round the key has signed for: policy/watermarks/SPEC.md has the rule.',
    codes: {
      WATERMARK_CONFLICT: 'the key has signed something else for this level and round',
      WATERMARK_LIMIT: 'the node keeps as many watermarks as it may, and this would be one more',
      WATERMARK_TOO_LOW: 'the key has signed for a later level, round or step of this chain',
      WATERMARK_UNREADABLE: [
        'a sealed watermark is not of a format that this image knows',
        'Start the image that wrote it, or a newer one.',
      ],
    },
  },
];
