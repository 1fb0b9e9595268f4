import type { CodeArea } from './area.ts';

export const QUORUM_CODES: readonly CodeArea[] = [
  {
    title: 'Keys of a quorum',
    who: 'the node, of a ceremony or a transcript that a client asks for',
    next: '"holdfast quorum status" shows nodes, keys and what is under way: docs/quorum.md.',
    codes: {
      CEREMONY_RUNNING: [
        'another ceremony on the key is under way, or waits for confirmations',
        'Wait until it has ended: "holdfast quorum status" names it.',
      ],
      CEREMONY_UNKNOWN: [
        'the node has led no ceremony of this id since it started',
        'Ask the node that has led it; what became of the key is in "holdfast quorum status".',
      ],
      KEY_ABSENT: [
        'the key was neither generated nor imported yet',
        'Generate it with "holdfast quorum keys generate".',
      ],
      KEY_EXISTS: [
        'the key was generated or imported before',
        'Name another key of the configuration, or refresh this one.',
      ],
      KEY_UNSHARED: [
        'the configuration has no such key, or none that is shared among nodes',
        'Add a key of a frost type to the configuration of every node.',
      ],
      NODE_UNKNOWN: [
        'the quorum has no node of this number',
        'Compare with the quorum of the configuration: "holdfast quorum status" lists its nodes.',
      ],
      QUORUM_ABSENT: [
        'the configuration in force names no quorum',
        'Add the quorum to the configuration: "holdfast quorum create" writes it.',
      ],
      TRANSCRIPT_UNKNOWN: [
        'the node has no transcript of this epoch of the key',
        'Ask another node that took part in the ceremony.',
      ],
    },
  },
];
