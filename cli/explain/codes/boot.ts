import type { CodeArea } from './area.ts';

export const BOOT_CODES: readonly CodeArea[] = [
  {
    title: 'What a node does not start on',
    who: "the node, once and for all; the code is on the parent's status page",
    next: 'Mend it on the parent or with the node admin, and start the node again.',
    codes: {
      CLOCK_DRIFT: [
        "the host's clock is off the NSM's by more than the bound",
        'Have chrony keep the clock of the parent.',
      ],
      CONFIGURATION_CONFLICT: [
        'a configuration of this version was in force before, with another content',
        'Sign the new content under a higher version.',
      ],
      CONFIGURATION_EXPIRED: ['its notAfter is over', 'Have one signed with a later notAfter.'],
      CONFIGURATION_MALFORMED: [
        'not a configuration, or not an envelope of one; field says where',
        'Mend the field that it names; shared/documents/SPEC.md says what each holds, docs/rules.md has examples.',
      ],
      CONFIGURATION_OTHER_MANIFEST: [
        'it is for another manifest',
        'Give the node its own configuration, or sign one that names the SHA-384 of this manifest.',
      ],
      CONFIGURATION_ROLLED_BACK: [
        'a newer configuration was in force before',
        'Give the node the newest one.',
      ],
      CONFIGURATION_UNDER_SIGNED: [
        "fewer of the manifest's authorities have signed than it asks for",
        'Have others sign the envelope: "holdfast config verify" says who has.',
      ],
      CORE_DUMPS_ENABLED: 'core dumps are not off in the enclave: not an image of Holdfast',
      DEBUG_ENCLAVE: [
        'the enclave runs in debug mode',
        'Start it without --debug-mode: enclave.debug in parent.yaml.',
      ],
      ENTROPY_UNTRUSTED: "the kernel's random numbers do not come from the NSM: not a kernel of Holdfast",
      INITIALISATION_EXPIRED: ["the order's notAfter is over", 'Sign a configuration with a later one.'],
      INITIALISATION_NOT_ORDERED: [
        'the store is empty, and no configuration orders to start one',
        'A first start needs initialise in the configuration. If there was a store, put it back: a new one has other keys.',
      ],
      INITIALISATION_REPEATED: [
        'the store was started by another order',
        'Leave initialise out of the configuration: it is for the first start alone.',
      ],
      KEY_MISMATCH: 'the configuration gives a key another type or public key than the store holds',
      KEY_MISSING: 'the configuration gives the public key of a key that the store does not hold',
      MANIFEST_MALFORMED: ['not a manifest; field says where', 'Look at it by "holdfast manifest verify".'],
      MANIFEST_PCR_MISMATCH: 'PCR16 is not what the manifest was measured to',
      MANIFEST_PCR_USED: 'PCR16 was extended or locked before the node measured its manifest',
      PASSWORD_LENGTH: 'the master password has fewer than 32 or more than 1,024 bytes',
      PASSWORD_MISSING: [
        "the store exists, and the password's ciphertext does not",
        "Put the ciphertext back where the parent's artifacts.secrets looks for it.",
      ],
    },
  },
  {
    title: 'The init of an enclave',
    who: "the image's own init, before the node starts; the code is on the parent's status page",
    next: 'Do not use this image: docs/image.md lists the steps of its init.',
    codes: {
      INIT_CMDLINE: 'the kernel was started with other words than the image measures',
      INIT_CONSOLE: 'no /dev/null',
      INIT_DEVICE: 'no /dev/nsm or /dev/vsock, or their owner cannot be set',
      INIT_ENTROPY: "the kernel's source of entropy is not the NSM",
      INIT_EXEC: 'Node does not start',
      INIT_FILTER: 'the filter of system calls cannot be put in place',
      INIT_FORK: 'no process for the node',
      INIT_HEARTBEAT: [
        "the enclave's init could not tell nitro-cli that it runs",
        'The parent tries again by itself.',
      ],
      INIT_MEMORY: [
        'too little memory: the image was not unpacked whole',
        'Raise enclave.memoryMiB in parent.yaml.',
      ],
      INIT_MOUNT: 'a file system of the kernel cannot be mounted',
      INIT_PIPE: 'no pipe to the node',
      INIT_PRIVILEGES: 'the privileges of root cannot be given up',
      INIT_READ_ONLY: 'the file system cannot be made read-only',
      INIT_WAIT: 'the end of the node cannot be waited for',
    },
  },
  {
    title: 'KMS, as the enclave meets it',
    who: 'the node, while it asks for its master password',
    next: 'Look at the key policy: "holdfast key-policy lint".',
    codes: {
      CMS_DECRYPT_FAILED: "KMS's envelope does not open: it was altered",
      CMS_MALFORMED: "not the envelope that KMS makes: somebody answers in KMS's place",
      CMS_WRONG_RECIPIENT: "the envelope is for another enclave's key",
      KMS_ACCESS_DENIED: [
        'KMS refuses this image, manifest or role',
        'Compare the key policy with the pcr.json of this image: "holdfast key-policy lint POLICY --manifest FILE --pcrs FILE".',
      ],
      KMS_INCORRECT_KEY: [
        'the blob was made under another key',
        "Give the node its own blob, or the manifest of the blob's key.",
      ],
      KMS_INVALID_CIPHERTEXT: [
        'the blob is damaged, or of another node or purpose: the encryption context does not fit',
        'Give the node its own blob.',
      ],
      KMS_KEY_MISMATCH: 'the answer is of another key than the one asked for',
      KMS_PLAINTEXT_RETURNED: 'plaintext came back: somebody dropped the attestation document on the way',
      KMS_RECIPIENT_MISSING: 'no envelope came back: somebody dropped the attestation document on the way',
      KMS_REFUSED: ['KMS refused for another reason; reason names it', 'Look that name up at AWS.'],
      KMS_UNREACHABLE: [
        'KMS was not reached, or did not answer in time',
        'Look at egress on the parent: "holdfast doctor".',
      ],
      KMS_UNTRUSTED:
        'the certificate of who answered does not lead to a root that the image trusts: somebody is in between',
      NSM_FAILED: ['the NSM did not answer', 'The parent tries again; if it stays, take another instance.'],
      NSM_REFUSED: 'the NSM refused; reason is its own error',
    },
  },
  {
    title: 'The sealed store',
    who: 'the node, about what its parent keeps for it',
    next: 'Put back the whole store as it was written last; a node never goes on with another one.',
    codes: {
      STORE_FULL: [
        'no room for what the configuration names; nothing was written, and an older configuration still starts',
        'Sign a configuration that drops what nothing names any more (drop), or that names fewer new keys at once.',
      ],
      STORE_RECORD_ALTERED: 'a record differs from the one written last: altered, swapped or rolled back',
      STORE_RECORD_MISSING:
        'a record that the root record names is not there, or the root record itself is not',
      STORE_RECORD_UNKNOWN: 'a record that this node has never written',
      STORE_ROOT_UNREADABLE:
        'the root record does not open: altered, of another node, or sealed under another password',
      STORE_ROLLED_BACK: [
        'witnesses have signed a later state of this store, or another one: it was rolled back as a whole, or deleted and started anew',
        'Put back the newest store. If it is lost, only a configuration with other witnesses, or the witnesses themselves, can let an older one start.',
      ],
      STORE_TAKEN: [
        'somebody else writes to this store: another enclave, or it was rolled back under this one',
        'Stop the other enclave: one store has one node.',
      ],
      STORE_UNCERTAIN: [
        'a write was neither confirmed nor refused',
        'The parent starts the node again, which reads what there is.',
      ],
    },
  },
];
