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
];
