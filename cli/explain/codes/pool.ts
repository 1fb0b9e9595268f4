import type { CodeArea } from './area.ts';

export const POOL_CODES: readonly CodeArea[] = [
  {
    title: 'Keys that clients have the node make',
    who: "the node, in its response to a client's request on a key of a pool that a rule permits",
    next: 'Mend the request as docs/node-admin.md and client/README.md say.',
    codes: {
      ALIAS_EXISTS: 'another key of the node has the alias, or this one has it already',
      ALIAS_MISMATCH: 'the alias that is to be moved is that of a key of another type or usage',
      ALIAS_REFUSED: [
        'no pattern of the pool has this alias',
        'The patterns are in the configuration, which may get another one.',
      ],
      ALIAS_UNKNOWN: 'the key has no such alias, or no key of the pool has it',
      CIPHERTEXT_OTHER_KEY: [
        'the ciphertext was made with another key',
        'Ask for the key whose id is in the ciphertext: 16 bytes behind the first one.',
      ],
      DELETION_TOO_SOON: 'the pool asks for more days between the order to delete a key and its deletion',
      DESCRIPTION_REFUSED: [
        'no pattern of the pool has this description',
        'The patterns are in the configuration, which may get another one.',
      ],
      KEY_DISABLED: ['the key is disabled', 'Enable it, if that is what you want.'],
      KEY_NOT_PENDING_DELETION: 'there is no order to delete the key that could be cancelled',
      KEY_PENDING_DELETION: [
        'the key awaits its deletion, and is used for nothing until then',
        'Cancel the deletion, and enable the key.',
      ],
      POOL_FULL: [
        'the pool holds as many keys as it may, those that await their deletion among them',
        'Delete keys that nobody needs, or have a configuration signed with a higher maximum.',
      ],
      POOL_KEY_UNKNOWN: 'the node has no key of this id in a pool that the client sees',
      POOL_METADATA_FULL: 'descriptions, aliases and tags take as much room as they may',
      TOKEN_REUSED: 'the token was used for a creation with another body; draw a new one for each key',
    },
  },
];
