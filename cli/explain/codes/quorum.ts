import type { CodeArea } from './area.ts';

export const QUORUM_CODES: readonly CodeArea[] = [
  {
    title: 'Keys of a quorum',
    who: 'the node, of a ceremony or a transcript that a client asks for',
    next: '"holdfast quorum status" shows nodes, keys and what is under way: docs/quorum.md.',
    codes: {
      CEREMONY_NOT_FOUND: [
        'the node has led no ceremony of this id since it started',
        'Ask the node that has led it; what became of the key is in "holdfast quorum status".',
      ],
      QUORUM_ABSENT: [
        'the configuration in force names no quorum',
        'Add the quorum to the configuration: "holdfast quorum create" writes it.',
      ],
      TRANSCRIPT_NOT_FOUND: [
        'the node has no transcript of this epoch of the key',
        'Ask another node that took part in the ceremony.',
      ],
    },
  },
  {
    title: 'Quorums by the command',
    who: 'holdfast quorum, before or beside what the nodes say',
    next: '"holdfast quorum status" shows what the nodes do: docs/quorum.md.',
    codes: {
      CEREMONY_UNFINISHED: [
        'the ceremony has not ended within --timeout; the nodes go on with it',
        'Wait for it with "holdfast quorum wait ID", and look at the nodes that it waits for.',
      ],
      QUORUM_INCOMPLETE: [
        'a manifest of a node is missing or given twice, or no pcr.json is of an image that a node may run',
        'Give the manifest of every node, once, and a pcr.json without PCR16, or one for each node.',
      ],
      QUORUM_KEYS_MISSING: [
        'log keys and witness keys are given, but not both of every node once; the names in them say whose they are',
        'Give the log key and the witness key that "holdfast node attest" prints of every node.',
      ],
      QUORUM_MANIFESTS_DIFFER: [
        'the manifests are of different quorums: another namespace, environment, size or threshold',
        'Compare the manifests with "holdfast manifest verify".',
      ],
    },
  },
  {
    title: 'Signing among nodes',
    who: 'the node that coordinates a signature, and in receipts the nodes that take part',
    next: 'Read the receipts of the response: each node says what it has decided, and "holdfast quorum status" shows them.',
    codes: {
      QUORUM_DECISION_MISMATCH: [
        'two nodes have read the same request differently: nothing was signed',
        'Compare the configurations of the key and the images of both nodes.',
      ],
      QUORUM_DENIED: [
        'another node has denied what the asked one permits: nothing was signed',
        'Look into the receipts of the response, which have the reasons, and compare the rules of the nodes.',
      ],
      QUORUM_EPOCH_MISMATCH: [
        'two nodes hold shares of different epochs of the key',
        'Wait until the node that is behind has caught up, or repair its share.',
      ],
      QUORUM_MESSAGE_MALFORMED: [
        'what another node has sent is not of its form',
        'Run the same version of Holdfast on all nodes.',
      ],
      QUORUM_NONCES_UNKNOWN: [
        'the node has no such nonces for this coordinator: it has restarted, or they were used',
        'Nothing: the coordinator asks for new ones.',
      ],
      QUORUM_OVERLOADED: [
        'too many requests are remembered, or one was to be signed too many times',
        'Ask again in a minute.',
      ],
      QUORUM_PACKAGE_INVALID: [
        'the list of nonce commitments is not that of a quorum of this key, or another than was sent',
        'Look at the node that has coordinated.',
      ],
      QUORUM_REQUEST_TOO_LARGE: [
        'the request needs more signatures, or more bytes, than one call between nodes carries',
        'Make transactions of fewer inputs.',
      ],
      QUORUM_SHARE_INVALID: [
        'signature shares of some nodes are wrong, and too few others are left',
        'Stop the nodes that are named, and look at their shares: repair makes them anew.',
      ],
      QUORUM_UNREACHABLE: [
        'fewer nodes than the key needs can sign in time',
        'Start the nodes that are missing: "holdfast quorum status" names them.',
      ],
    },
  },
];
