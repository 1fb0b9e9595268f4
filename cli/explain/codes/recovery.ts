import type { CodeArea } from './area.ts';

export const RECOVERY_CODES: readonly CodeArea[] = [
  {
    title: 'Backups that a node makes, and what signs without them',
    who: 'the node, in its response to a request; BACKUP_MISSING and BACKUP_OUTDATED also in its status while it serves',
    next: 'docs/recovery.md has the way from a backup to its acknowledgement.',
    codes: {
      ACKNOWLEDGEMENT_INVALID: [
        'no keeper whom the configuration names has signed the acknowledgement',
        'Have one of the group recovery.keepers sign it by "holdfast ers acknowledge".',
      ],
      ACKNOWLEDGEMENT_UNKNOWN: [
        'the acknowledgement is of a backup of another node or key, or of one that the node has forgotten for newer ones',
        'Make a backup of this node and key, and acknowledge that one.',
      ],
      BACKUP_EMPTY: 'the node holds nothing of the key, or the pool has no keys after the one that was named',
      BACKUP_MISSING: [
        'the key needs a backup that somebody keeps, and none is known to be kept',
        'Make one by "holdfast ers backup", have a keeper verify and acknowledge it, and hand that in by "holdfast ers submit".',
      ],
      BACKUP_OUTDATED: [
        'the backup that is kept is of an epoch, or of a key of the same id, that others have taken the place of',
        'Back the key up again on every node, and have the new backups acknowledged.',
      ],
      RECOVERY_KEY_INVALID: [
        'the manifest names no X25519 key that anything can be encrypted to',
        'Make a key by "holdfast ers keygen"; another manifest is another node to KMS.',
      ],
    },
  },
  {
    title: 'Backups, as an auditor verifies them',
    who: 'ers verify, ers backup, ers acknowledge, ers recover and ers drill',
    next: 'Keep the file, do not count it as a backup, and find out who has handed it over.',
    codes: {
      ACKNOWLEDGEMENT_MALFORMED: 'not the payload of an acknowledgement',
      BACKUP_ALTERED: 'a ciphertext is not the one that the statement of the enclave names',
      BACKUP_GROUPS_DIFFER: [
        'backups of one epoch of a key belong to different groups',
        'One node tells another history than the others: compare transcripts by "holdfast quorum transcript verify".',
      ],
      BACKUP_IDENTITY_MISSING: [
        'none of the identities that were given is that of the cold node which made the backup',
        'Give identity.json of that cold node, whose fingerprint you have compared, by --cold-identity.',
      ],
      BACKUP_MALFORMED: 'not a backup in the one form that a node writes',
      BACKUP_MANIFEST_MISSING: [
        'none of the manifests that were given is that of the node which made the backup',
        'Give the manifest of that node, by --manifest.',
      ],
      BACKUP_NOT_ATTESTED: [
        'the backup is of a cold node: its machine has signed it, and nothing attests what that machine runs',
        'If a cold node is meant, say so by --cold-identity; a backup of a node in an enclave never looks like this.',
      ],
      BACKUP_OTHER_NODE: 'the statement names another node than the manifest that was measured',
      BACKUP_OTHER_RECOVERY_KEY:
        'the backup is encrypted to another key than the manifest names: the custodians cannot open it',
      BACKUP_PROOF_MISMATCH: 'the attestation document vouches for another statement, or for something else',
      BACKUP_STATEMENT_FALSE: 'what the statement says of a share contradicts itself',
      DRILL_DUE: [
        'the last drill that was proven is too long ago, or there was none',
        'Bring the custodians together, and hold one by "holdfast ers drill".',
      ],
      DRILL_MALFORMED: 'somebody who may has signed it, and it is not the record of a drill',
      DRILL_OTHER_BACKUPS: [
        'the drill proves a key, or names a recovery key or a vault, that the backups at hand do not have',
        'Give the backups that the record lists. If those are they, somebody has made the record up: ask whoever has signed it.',
      ],
      DRILL_OTHER_NONCE: [
        'the drill was held for another nonce than the one that was sent: before it, or for somebody else',
        'Ask for the record of the drill that was held for yours.',
      ],
      DRILL_OTHER_VAULT: [
        'a record is of a drill of another vault, though somebody has led it who may lead drills of this one',
        'Give the records of this vault alone, or the manifest of the other one.',
      ],
      DRILL_PROOF_INVALID: 'a signature in the record is not that of the recovered key over this drill',
    },
  },
  {
    title: 'Custodians, recovery and drills',
    who: 'ers keygen, ers verify, ers recover, ers drill and quorum keys import',
    next: 'docs/recovery.md has the ceremony step by step.',
    codes: {
      BACKUP_CONTENT_MISMATCH: [
        'what was encrypted is not what the enclave has said of it',
        'Recover from the backups of other nodes; the image that made this one is not to be trusted.',
      ],
      BACKUP_EPOCHS_MIXED: [
        'enough nodes have a backup, but of different epochs, whose shares do not fit together',
        'Give backups of one epoch: "holdfast ers verify" says which ones there are.',
      ],
      BACKUP_KEY_ABSENT: 'none of the backups holds the key',
      BACKUP_KEYS_DIFFER: [
        'the backups hold different keys under one name: of another node or time, or one that somebody has made up',
        'Compare the public keys that "holdfast ers verify" shows with the one that your chains know, and name it by --public-key.',
      ],
      BACKUP_OTHER_VAULT: 'the backups are of several vaults, or encrypted to several recovery keys',
      BACKUP_SHARES_TOO_FEW: 'fewer nodes than the threshold have a backup of the key',
      BACKUP_UNREADABLE:
        'a ciphertext does not open with the recovery key: it was made for another one, or altered',
      CUSTODIANS_MALFORMED: 'not the custodians.json of ers keygen',
      CUSTODIANS_TOO_FEW: 'fewer custodians than it takes',
      CUSTODIAN_KEY_INVALID: [
        "a custodian's key is no RSA public key in PEM of at least 4096 bits",
        'Have the HSM make an RSA key of 4096 bits or more, and export its public half as SubjectPublicKeyInfo in PEM.',
      ],
      CUSTODIAN_SHARES_DIFFER: [
        'the shares are of different keys, or of two calls of ers keygen',
        'Give custodians.json by --custodians: it names whose share is wrong.',
      ],
      CUSTODIAN_SHARE_MALFORMED: [
        'the words are no share: a word is none of the list, is missing, or stands elsewhere',
        'Read the words again from the paper; the message says which place is wrong where that is known.',
      ],
      CUSTODIAN_UNKNOWN: 'the share is genuine in itself, and none of those that custodians.json names',
      DRILL_FAILED: [
        'a recovered key does not sign as its public key says: recovery would fail',
        'Treat the backup as lost: make another at once, and find out why.',
      ],
      IMPORT_TARGET_UNKNOWN: [
        'the manifest of the new node names authorities that nobody has named to you',
        'Compare configurationAuthority.keys of its manifest with what its owners read to you, and name each by --import-authority.',
      ],
      IMPORT_TARGET_INVALID: [
        'the attestation document binds no import key: it is none of a node that serves',
        'Keep one by "holdfast node attest --output".',
      ],
      KEY_IMPORT_MALFORMED: 'not the import that ers recover writes',
      KEY_NOT_IMPORTABLE: [
        'nodes take up shared keys alone; this key is of one node',
        'Recover it into a file, and move what it holds.',
      ],
      RECOVERY_KEY_MISMATCH: [
        'the shares, or a manifest, are of another recovery key than the one that was expected',
        'Compare the public keys that "holdfast ers verify" shows; --custodians names whose share is wrong.',
      ],
    },
  },
];
