import type { CodeArea } from './area.ts';

export const COMMAND_CODES: readonly CodeArea[] = [
  {
    title: 'The command itself',
    who: '`holdfast`, on the machine where it is called',
    next: 'Mend what the message names, and call it again.',
    codes: {
      AWS_CREDENTIALS: [
        'AWS gave no credentials for this profile',
        'Sign in, or name another profile by --aws-profile.',
      ],
      AWS_CREDENTIALS_EXPIRED: [
        'the AWS credentials were good, and their time is over',
        'Sign in again, and run the command again: what was done stays done.',
      ],
      AWS_REFUSED: [
        "AWS answered with an error; the details' error is AWS's name for it",
        'Look that name up at AWS: mostly a permission is missing.',
      ],
      AWS_UNREACHABLE: [
        'AWS did not answer, or its certificate is not one that is trusted',
        'Look at network, proxy and endpoint.',
      ],
      CLONE_NEEDED: [
        'a local node runs from the sources, which the package does not hold',
        'Call ./holdfast in a working copy of the project.',
      ],
      CODE_UNKNOWN: ['`explain` knows no such code', 'Look at docs/codes.md.'],
      DECLINED: [
        'nobody has said yes: the person at the terminal said no, or there is no terminal to ask at',
        'Read what would be signed; --yes says yes without a terminal.',
      ],
      ENVELOPE_TOO_LARGE: 'no node takes a signed configuration of this length',
      INPUT_TOO_LARGE: 'a file is longer than such a file may be: mostly another one was meant',
      INTERNAL: [
        'something that nobody expected: a fault of Holdfast',
        'Call it again with the same arguments, and report the message if it comes back.',
      ],
      INTERRUPTED: ['Ctrl-C, or SIGTERM', 'Call it again if that was not you.'],
      KEY_FILE_EXPOSED: ['others than its owner may read or write a private key', 'chmod 600 that file.'],
      KEY_FILE_MALFORMED: 'not a private key in PEM without a password, or not of the type that is needed',
      OUTPUT_EXISTS: [
        'something has the name of the folder that is to be written, and was left as it is',
        'Name another folder, or remove that one.',
      ],
      OUTPUT_INCOMPLETE: [
        'one of several files that belong together could not be written; path names it. None of them was written: what was there before is there again, but for what `left` names, which could not be taken back',
        'Make room or another folder for all of them, and call it again.',
      ],
      PAYLOAD_FILE_MALFORMED: 'the file of a transaction is none of the kind that --kind names',
      KEY_NOT_AUTHORITY: [
        'the manifest does not name the key as a configuration authority',
        'Sign by a key that the manifest names; another set of authorities is another manifest.',
      ],
      KEY_UNKNOWN: ['the node holds no key of that id', '"holdfast node keys" lists those that it holds.'],
      KEY_UNSUITABLE: [
        'no algorithm of the key takes such a payload',
        'Give the payload in another way (--digest, --message), or another key.',
      ],
      KMS_OTHER_KEY: [
        "KMS answered for another key than the manifest's",
        'Look at the manifest and at the endpoint that is configured; use nothing of that answer.',
      ],
      MANIFEST_PCR_MISMATCH: [
        'the manifest measures to another PCR16 than the one expected',
        'Give the manifest that pcr.json was made for, byte by byte, or measure anew by "holdfast manifest measure".',
      ],
      MANIFEST_PCR_MISSING: [
        'pcr.json names no PCR16',
        'Add it by "holdfast manifest measure FILE --pcrs pcr.json".',
      ],
      MANIFEST_PCR_PRESENT: [
        'pcr.json names another PCR16 already',
        'Give --replace if the manifest was to change.',
      ],
      PARENT_UNREACHABLE: [
        "nothing answers at the parent's status page",
        'Look at "systemctl status holdfast-parent" on that host; --url names another address.',
      ],
      PROFILE_EXPOSED: [
        'another user owns holdfast.yaml or may write it, or it is a link: it names the root that verdicts rest on',
        'chmod go-w that file, name where a link leads by --profile, or give --profile none.',
      ],
      PROFILE_MALFORMED: 'an unknown field in holdfast.yaml, or a value that is not one line of text',
      RECORD_MALFORMED: 'signed, but not a record of the gate that this version knows',
      RECORD_MISMATCH: [
        'the record of the gate is about another policy, document or root; field says which',
        'Give the files of that decision; a record that rests on a stand-in needs --root with its root.',
      ],
      ROOT_MALFORMED: ['what --root names is no certificate', 'Give one certificate, in PEM or DER.'],
      SECRET_CHANGED: [
        'somebody else wrote the secret at the same time',
        'Find out who, and call populate again; docs/node-admin.md says which version is which.',
      ],
      SECRET_EXISTS: [
        'there is another secret already',
        'Give --rotate only if the former may go; docs/node-admin.md says what then.',
      ],
      SECRET_NOT_CIPHERTEXT: [
        'not the bytes of a KMS ciphertext: too short or long, or text',
        'Give the file that "holdfast secrets generate" wrote; never a password.',
      ],
      SECRET_NOT_WRITTEN: 'Secrets Manager gives back something else than was written',
      STATE_DAMAGED: [
        'the folder of a local node holds what a local node cannot have written',
        'Give another --state, or move that folder away.',
      ],
      STATE_OTHER_SIZE: [
        'an earlier run has left nodes of a quorum of another size in that folder',
        'Give another --state, or --nodes as it was then.',
      ],
      STATUS_MALFORMED: ["what answers is not a parent's status page", 'Look at the URL.'],
      STATUS_UNREACHABLE: ['nothing answers at that URL', 'Look at the URL, and whether the parent runs.'],
      STORE_MISSING: ['the configuration names a store that is not there', 'Look at store in parent.yaml.'],
      USAGE: [
        'the words do not fit the command, or a file that they name cannot be read: exit 2',
        '"holdfast NOUN VERB --help" explains a command.',
      ],
      VERSION_NOT_NEWER: [
        'the configuration is not newer than the one in force, and the node would refuse it',
        'Raise its version.',
      ],
    },
  },
  {
    title: 'A node on this machine',
    who: '`local up`, `local demo`',
    next: 'Give another --state, or move that folder away.',
    codes: {
      NO_WORD: 'the node ended without saying why; what it wrote to standard error says more',
      STATE_IN_USE: ['another process has the folder open', 'Stop the other one, or give another --state.'],
      STATE_UNREADABLE: 'the state was written by another version, or is damaged',
    },
  },
];
