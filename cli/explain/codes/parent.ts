import type { CodeArea } from './area.ts';

export const PARENT_CODES: readonly CodeArea[] = [
  {
    title: 'The parent',
    who: 'the parent, in its log, on its status page, or by `parent run`, `check`, `status`',
    next: 'Call "holdfast doctor" on that host.',
    codes: {
      ARTIFACT_TOO_LARGE: 'a manifest, configuration or blob is longer than any is',
      ARTIFACT_UNAVAILABLE: [
        'the source of an artifact could not be asked, or did not answer',
        'Look at artifacts in parent.yaml, and at the cause.',
      ],
      CREDENTIALS_UNAVAILABLE: [
        'no credentials of the instance role',
        'Give the instance a role, and look at its metadata service.',
      ],
      ENCLAVE_FOREIGN: [
        'an enclave runs on this CID that is not the expected image, or runs in debug mode',
        "Terminate it by nitro-cli if it is nobody else's, or choose another enclave.cid.",
      ],
      ENCLAVE_IMAGE_UNEXPECTED: [
        "the image's measurements are not those of pcr.json",
        'Put the image and the pcr.json of one build.',
      ],
      ACCEPT_FAILED: 'a connection of a client could not be taken, for a reason of the system',
      NITRO_CLI_FAILED: 'nitro-cli is not there, was killed, or printed something else than it should',
      NITRO_CLI_REFUSED: [
        'nitro-cli refused; nitro in the details is its own code',
        '"nitro-cli explain" that code.',
      ],
      OPTION_INVALID: [
        'a setting of parent.yaml makes no sense',
        'Mend the field that the message names: "holdfast parent check".',
      ],
      PROXY_HEADER_INVALID: [
        'a connection did not begin with a PROXY protocol v2 header',
        'ingress.proxyProtocol is for clients behind a load balancer that sends one, all of them.',
      ],
      SILENT:
        'the enclave runs and says nothing; the parent starts it again where enclave.restartWhenSilent is set',
      STORE_BACKUP_INVALID: [
        'a file that is no backup of records; nothing was written',
        'Give a file that "holdfast parent store backup" wrote.',
      ],
      STORE_BACKUP_TOO_LARGE: [
        'the entries of the log in the store are longer than a backup may be',
        'Name a folder for them in parent.yaml (auditLog.directory): once they lie there they are dropped from the store.',
      ],
      STORE_BUSY: ['somebody else owns the store', 'One store has one parent: stop the other.'],
      STORE_CONFLICT:
        'a record was at another revision, or the log of another size, than expected; nothing was written',
      STORE_FAILED: 'the database failed: disk full, file damaged, server gone',
      STORE_FORMAT_UNKNOWN: [
        'the store is of a format that this version does not know',
        'Run the version that wrote it.',
      ],
      STORE_FULL: 'more records than a store holds; nothing was written',
      STORE_PASSWORD_UNAVAILABLE: [
        'the password of the database cannot be read: reason says whether AWS was not reached or has refused, or there is no such secret',
        'Put it there by "holdfast vault populate", and look whether the role of the host may read that secret (docs/vault.md).',
      ],
      VANISHED: [
        'the enclave was gone without a word',
        'Look at its console in debug mode, and at the memory of the host.',
      ],
    },
  },
  {
    title: 'Between enclave and parent',
    who: 'the node (CONTROL_*, EGRESS_*) or its parent (the same without the word before it)',
    next: "Look at the parent's log; the node starts again by itself where that can help.",
    codes: {
      ADDRESS_FORBIDDEN: [
        "a target's name has an address that is not public",
        'Write its network out: networks in egress.allowlist.',
      ],
      BAD_REQUEST: 'not a request of the protocol: enclave and parent are of different versions',
      CONTROL_ANSWER_INVALID:
        'not the answer to what was asked: the parent is of another version, or hostile',
      CONTROL_BAD_REQUEST:
        'the parent took the request for none: enclave and parent are of different versions',
      CONTROL_CLOSED: 'the connection to the parent is over',
      CONTROL_COMMIT_UNRESOLVED: 'the answer to a write was lost, and its outcome could not be read back',
      CONTROL_DISCONNECTED: 'the parent could not be reached, or hung up',
      CONTROL_NOT_FOUND: [
        'the parent has no such artifact',
        'Put manifest, configuration and blobs where parent.yaml says.',
      ],
      CONTROL_STORE_BUSY: "somebody else owns the parent's store",
      CONTROL_STORE_CONFLICT:
        "a record of the parent's store was at another revision, or its log of another size",
      CONTROL_STORE_FAILED: "the parent's database failed",
      CONTROL_STORE_FULL: "the parent's store holds as many records as it may",
      CONTROL_TIMEOUT: 'the parent said nothing until the deadline',
      CONTROL_UNAVAILABLE: 'the parent could not get what was asked for: AWS is down, or a file is not there',
      DNS_FAILED: "a target's name has no address",
      FAILED: [
        'the response of a witness is none of the protocol, or says that the witness failed',
        'Look at the log of the witness; its operator can tell.',
      ],
      LARGER_TREE: [
        'the witness has cosigned a larger tree of this log',
        'If the store is not the newest one, put that back. If it is, somebody else has its keys: stop, and look.',
      ],
      LOG_LINK_ANSWER_INVALID:
        "not the answer to what was asked by the node's log: the parent is of another version, or hostile",
      LOG_LINK_BAD_REQUEST:
        'the parent took a checkpoint for no request: enclave and parent are of different versions',
      LOG_LINK_CLOSED: "the log's connection to the parent is over",
      LOG_LINK_DISCONNECTED: "the parent's log service could not be reached, or hung up",
      LOG_LINK_TIMEOUT: "the parent's log service said nothing until the deadline",
      LOG_LINK_UNAVAILABLE:
        'the parent could not take a checkpoint: it has not the entries, or its disk failed',
      OTHER_TREE: [
        'the witness has cosigned a tree that this one does not extend',
        'If the store is not the newest one, put that back. If it is, somebody else has its keys: stop, and look.',
      ],
      UNKNOWN_LOG: [
        'the witness does not know this log, or not by this key',
        'Give its operator the origin and the verifier key that "holdfast parent status" shows.',
      ],
      UNREACHABLE: 'the witness gave no response in time',
      EGRESS_ABORTED: 'the node gave up the connection itself',
      EGRESS_ADDRESS_FORBIDDEN: [
        "a target's name has an address that is not public",
        'Write its network out: networks in egress.allowlist.',
      ],
      EGRESS_ANSWER_INVALID: 'not the answer to what was asked: the parent is of another version, or hostile',
      EGRESS_BAD_REQUEST:
        'the parent took the request for none: enclave and parent are of different versions',
      EGRESS_CONNECT_FAILED: 'no TCP connection to the target',
      EGRESS_CONNECT_TIMEOUT: 'no TCP connection to the target in time',
      EGRESS_DNS_FAILED: "the target's name has no address",
      EGRESS_OVERLOADED: 'more connections than the parent takes',
      EGRESS_TARGET_FORBIDDEN: [
        'the target is not on the allow-list',
        "Add the Region's KMS to egress.allowlist.",
      ],
      EGRESS_TIMEOUT: 'the parent said nothing until the deadline',
      EGRESS_TOO_MANY_UNNAMED: 'too many connections have not said where they want to go',
      EGRESS_UNREACHABLE: "the parent's listener could not be reached",
      TARGET_FORBIDDEN: [
        'the target is not on the allow-list',
        'Add it to egress.allowlist, if the node needs it.',
      ],
      TOO_MANY_UNNAMED: 'too many connections have not said where they want to go',
      UNAVAILABLE: 'what was asked for cannot be had now',
    },
  },
  {
    title: 'Why the parent cut a connection',
    who: 'the parent, in its log and metrics',
    next: 'Nothing, unless clients complain: egress and ingress in parent.yaml have the limits.',
    codes: {
      IDLE: 'nothing went over it for as long as is allowed',
      LIFETIME: 'it was open for as long as is allowed',
      STOPPED: 'the parent or its enclave ended',
    },
  },
  {
    title: 'Frames and transport',
    who: 'either side of the vsock; mostly as the cause of another code',
    next: "Look at the parent's log: one of the two sides has ended, or is of another version.",
    codes: {
      ADDRESS_IN_USE: ['the port or socket is taken', 'Stop the other process, or choose another.'],
      CONNECT_ABORTED: 'this side gave up',
      CONNECT_FAILED: 'no connection, for a reason of the system',
      CONNECT_REFUSED: 'nobody listens there',
      CONNECT_TIMEOUT: 'no connection in time',
      FRAME_ABORTED: 'this side gave up',
      FRAME_BODY_MALFORMED: 'the body is not strict CBOR, or no map',
      FRAME_END: 'the stream ended where a frame could have begun',
      FRAME_SCHEMA_MISMATCH: 'the body is not of the shape that was asked for',
      FRAME_STREAM_FAILED: 'the stream broke',
      FRAME_TIMEOUT: 'no frame in time',
      FRAME_TOO_LARGE: 'longer than any frame',
      FRAME_TOO_SHORT: 'too short to hold a version and a body',
      FRAME_TRUNCATED: 'the stream ended within a frame',
      FRAME_VERSION_UNKNOWN: 'a version that this side does not speak',
      LISTEN_FAILED: 'it cannot listen there, for a reason of the system',
      TRANSPORT_UNAVAILABLE: [
        'no AF_VSOCK or /dev/nsm: the native addon was not built, or does not load',
        'Install a C compiler and run scripts/build-addon.sh, or "npm rebuild" where it is a package.',
      ],
    },
  },
];
