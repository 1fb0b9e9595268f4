import type { CodeArea } from './area.ts';

export const LOG_CODES: readonly CodeArea[] = [
  {
    title: 'The transparency log: checkpoints, proofs, tiles',
    who: 'whoever reads the audit log of a node: the node itself, its parent, `audit`, a witness',
    next: 'Keep the files as they are, and ask for the same ones from elsewhere: what was shown is no proof of anything.',
    codes: {
      CHECKPOINT_MALFORMED:
        'a signed note whose text is no checkpoint: origin, size and root, each in its line',
      CHECKPOINT_ORIGIN: [
        'the checkpoint is of another log than the one asked for',
        "Compare the origin with the one that the node's attestation document names.",
      ],
      CHECKPOINT_UNDER_COSIGNED: [
        'fewer distinct witnesses than needed have cosigned: others may have been shown another tree',
        'Ask for the newest checkpoint again; if it stays so, ask the witnesses what they have signed last.',
      ],
      CHECKPOINT_UNSIGNED: [
        'no signature of the log is on it',
        "Compare the log's key with the one that the node's attestation document names.",
      ],
      CONSISTENCY_PROOF_INVALID: [
        'the newer tree does not begin with the older one: entries were removed or altered, or the proof is wrong',
        'Keep both checkpoints: two signed trees of one log that do not agree prove that it has lied.',
      ],
      FRONTIER_MALFORMED: 'sealed bytes that are no frontier of a tree',
      INCLUSION_PROOF_INVALID: 'the entry is not in that tree at that place, or the proof is wrong',
      NOTE_MALFORMED: 'bytes that are no signed note: a text, an empty line, signature lines',
      NOTE_SIGNATURE_INVALID: [
        'a line names a known key, and its signature does not verify',
        'Ask for the checkpoint again; somebody between the signer and you has changed it.',
      ],
      TILE_MALFORMED: 'a tile or an entry bundle of another length than the size of the tree gives it',
      TLOG_PROOF_MALFORMED: 'bytes that are no tlog-proof of C2SP',
      VERIFIER_KEY_MALFORMED: [
        'no verifier key, name+id+key, or one of a type that a log or a witness may not have',
        'Copy the whole line as its owner publishes it; of a witness its type is 04 or 06, of a log 01 or 06.',
      ],
    },
  },
];
