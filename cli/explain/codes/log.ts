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
      LOG_ENTRY_WRONG: [
        'an entry is no statement of a node, or says another place in the log than it has',
        'Keep the log as it is: whoever wrote this entry had the key of the log. --any-entries takes logs of others.',
      ],
      LOG_INCOMPLETE: [
        'the checkpoint says that the log is as long, and a tile or an entry bundle of it is missing',
        "Look in the parent's store and its archive in S3; nobody can make up what is missing.",
      ],
      LOG_INCONSISTENT: [
        'the log does not begin with the tree of the earlier checkpoint, or is smaller: it was rolled back, or forked',
        'Keep both checkpoints: two signed trees of one log that do not agree prove that it has lied.',
      ],
      LOG_ROOT_MISMATCH: [
        'the entries have another root than the checkpoint: one of them was altered, and its tile with it',
        'Compare with a copy of the log that somebody else keeps.',
      ],
      LOG_UNREACHABLE: [
        'the folder or the server of the log does not give it',
        'Look at the path, or at the cause.',
      ],
      NOTE_MALFORMED: 'bytes that are no signed note: a text, an empty line, signature lines',
      NOTE_SIGNATURE_INVALID: [
        'a line names a known key, and its signature does not verify',
        'Ask for the checkpoint again; somebody between the signer and you has changed it.',
      ],
      TILE_MALFORMED: 'a tile or an entry bundle of another length than the size of the tree gives it',
      TILE_MISMATCH: [
        'a tile has other hashes than the entries: an entry was altered, or the tile',
        'Compare with a copy of the log that somebody else keeps.',
      ],
      TLOG_PROOF_MALFORMED: 'bytes that are no tlog-proof of C2SP',
      VERIFIER_KEY_MALFORMED: [
        'no verifier key, name+id+key, or one of a type that a log or a witness may not have',
        'Copy the whole line as its owner publishes it; of a witness its type is 04 or 06, of a log 01 or 06.',
      ],
    },
  },
  {
    title: 'Witnesses: what one refuses',
    who: 'a witness that was asked to cosign a checkpoint, in the body of its response',
    next: 'Send the newest checkpoint, with a proof from the size that the witness names in its 409.',
    codes: {
      WITNESS_BUSY: ['too many requests lie in memory', 'Ask again a moment later.'],
      WITNESS_CONFLICT:
        'the old size is not that of the tree that the witness has cosigned last, which it names',
      WITNESS_INCONSISTENT: [
        'the tree does not extend the one that the witness has cosigned last, or the proof does not show it',
        'If the proof is right, the log was rolled back or forked: stop, and keep both checkpoints.',
      ],
      WITNESS_LOG_UNKNOWN: [
        'the witness follows no log of this origin',
        "Have its operator add the origin and the log's verifier key to its list.",
      ],
      WITNESS_LOG_UNSIGNED: [
        'no valid signature of a key that the witness knows for this log',
        "Compare the log's verifier key with the one in the list of the witness.",
      ],
      WITNESS_OLD_SIZE: 'the old size is above the size of the checkpoint',
      WITNESS_REQUEST_MALFORMED: [
        'no request of tlog-witness: old size, proof lines, an empty line, a checkpoint',
        'Compare the body with c2sp.org/tlog-witness; lines end in LF, sizes have no leading zero.',
      ],
      WITNESS_REQUEST_TOO_LARGE: [
        'more bytes than a request can need',
        "Send the log's own signature line alone, not those of the other witnesses.",
      ],
    },
  },
  {
    title: 'Witnesses: starting one',
    who: '`audit witness` and `audit witness-keygen`',
    next: 'Nothing is cosigned until this is mended.',
    codes: {
      WITNESS_KEY_MALFORMED:
        'the file of a key is not one line, PRIVATE+KEY+name+id+key, of the type that its name says',
      WITNESS_LOGS_MALFORMED: [
        'the list of logs is not YAML with "logs", each with an "origin" and "keys", verifier keys of the log',
        'docs/transparency-log.md has an example.',
      ],
      WITNESS_STATE_BUSY: [
        'another process uses the memory of this witness',
        'Run one process for one folder.',
      ],
      WITNESS_STATE_DAMAGED: [
        'the memory of this witness cannot be read',
        'Never start with an older copy: make a witness with new keys and another name, and have those who rely on it take it.',
      ],
      WITNESS_STATE_EXISTS: ['the folder holds a witness, or a part of one', 'Name an empty folder.'],
      WITNESS_STATE_MISMATCH: [
        'the memory in this folder is that of other keys',
        'Bring the folder together again as it was made: keys and memory belong together.',
      ],
      WITNESS_STATE_MISSING: [
        'the memory of these keys is lost: this witness would cosign what contradicts what it has cosigned',
        'Make a witness with new keys and another name, and have those who rely on it take it.',
      ],
    },
  },
];
