import type { CodeArea } from './area.ts';

export const COLD_CODES: readonly CodeArea[] = [
  {
    title: 'Cold nodes',
    who: '`holdfast cold`, on the machine without a network or at the desk of its clients',
    next: 'docs/cold.md has the steps, and what each file is.',
    codes: {
      COLD_BUNDLE_FAILED: 'the archive of the cold machine was not built; what failed is printed before',
      COLD_BUNDLE_WITHOUT_SOURCE: [
        'the archive is built from a working copy of the project, and this is an installed package',
        'Clone the project at the release, run `npm ci` in it, and call its own command.',
      ],
      COLD_CLOCK_BEHIND: [
        "the machine's clock is behind what the node has sealed",
        'Set the clock. If the store is ahead because the clock was once set wrong, wait, or hand the keys to a new node by recovery.',
      ],
      COLD_CONFIGURATION_UNFIT: [
        'the configuration asks for what a machine without a network lacks: witnesses, a quorum, pools, limits by rate, shares',
        'Leave the named member out; limits by amount are sealed, and count from one start to the next.',
      ],
      COLD_IDENTITY_MALFORMED: "not a cold node's identity, or one that was changed since the node wrote it",
      COLD_NODE_EXISTS: [
        'the folder has a node already, which a second `cold init` would take the place of',
        'Open that node, or name another folder.',
      ],
      COLD_NODE_MISSING: ['the folder has no node', 'Name the folder that `cold init` has made.'],
      COLD_PARTS_INCOMPLETE: [
        'not every code of the message was scanned',
        'Scan those whose numbers are named.',
      ],
      COLD_PARTS_MALFORMED: 'not lines of scanned codes, of one message: scan them again into an empty file',
      COLD_PARTS_TOO_MANY: ['the message is too long for codes', 'Carry it as a file.'],
      COLD_PASSPHRASE_WEAK: [
        'the passphrase is shorter than its minimum',
        'Take six words or more, drawn by dice.',
      ],
      COLD_PASSPHRASE_WRONG:
        "the passphrase is not that of the node, or the store's sealed password was changed",
      COLD_REQUEST_EARLY: [
        "the request was made after the time of the machine's clock",
        'Set the clock of whichever machine is wrong.',
      ],
      COLD_REQUEST_EXPIRED: [
        'the request has expired',
        'Make it again with `cold request`; `--days` says for how long.',
      ],
      COLD_REQUEST_MALFORMED: 'not a request to a cold node, or a damaged one: carry the file again',
      COLD_REQUEST_OTHER_NODE: 'the request is for another node, or for another manifest of this one',
      COLD_REQUEST_REPEATED: [
        'the node has decided this request before',
        'The response of the first time is what it came to. For another signature make another request.',
      ],
      COLD_REQUESTS_FULL: [
        'the client has as many requests open as its part of what the node remembers, or all of them together have',
        'Wait until the first of them has ended, which the message names, and give later ones fewer `--days`.',
      ],
      COLD_REQUEST_UNSIGNED:
        'the request is not signed by a client of the configuration, or was changed since',
      COLD_RESPONSE_MALFORMED: 'not a response of a cold node, or a damaged one: carry the file again',
      COLD_RESPONSE_OTHER_REQUEST: 'the response is to another request than the one that was named',
      COLD_RESPONSE_UNSIGNED: 'the node of the identity has not signed the response, or it was changed since',
      COLD_STORE_ROLLED_BACK: [
        "the node's log does not continue the checkpoint that the request knows: its folder is an old copy, or another's",
        'Bring the newest folder back. An old copy would spend limits twice, and forget what it has decided.',
      ],
      COLD_VOTE_MALFORMED: 'not a vote as `holdfast approve sign --output` writes it',
    },
  },
];
