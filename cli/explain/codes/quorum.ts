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
      QUORUM_MANIFESTS_DIFFER: [
        'the manifests are of different quorums: another namespace, environment, size or threshold',
        'Compare the manifests with "holdfast manifest verify".',
      ],
    },
  },
];
