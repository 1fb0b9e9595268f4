import type { CodeArea } from './area.ts';

export const REQUEST_CODES: readonly CodeArea[] = [
  {
    title: 'What a serving node refuses',
    who: "the node, in its response to a client's request",
    next: 'Mend the request as docs/node-admin.md and client/README.md say.',
    codes: {
      ALGORITHM_MISMATCH: [
        "the algorithm is not one of the key's type and usage",
        '"holdfast node keys" shows the type of each key.',
      ],
      APPROVALS_NOT_AWAITED: [
        'the rule asks for approvals, and operations on a key do not wait for any',
        'Permit the operation in a rule without approvals, to a client of its own; "holdfast config lint" finds such rules.',
      ],
      APPROVAL_REJECTED: [
        'somebody whose approval the rule asks for has rejected the request',
        'Ask them why; a new request asks everybody anew.',
      ],
      CONFIGURATION_EXPIRED: [
        "the configuration's notAfter is over: the node allows nothing",
        'Have a configuration signed with a later notAfter, and start the node with it.',
      ],
      KEY_TYPE_REFUSED: [
        'the pool holds no keys of this type',
        'The types of a pool are in the configuration; "holdfast node pools" shows them.',
      ],
      LENGTH_REQUIRED: 'a body without Content-Length, such as one in chunks',
      LOG_CLOSED: ['the node is about to end', 'Try again when it has started anew.'],
      LOG_NOT_COSIGNED: [
        'too few witnesses have cosigned the log in time, so that the result stays in the node',
        '"holdfast parent status" says what each witness answered; docs/parent-alerts.md.',
      ],
      LOG_OVERLOADED: [
        'more decisions wait to be logged than the node lets wait',
        'Try again a little later; see whether the witnesses are slow.',
      ],
      LIMIT_EXCEEDED: [
        'rules permit it, and it moves more than their limits have left for now',
        'Ask for less, or again when the time that the refusal names is over.',
      ],
      LIMITS_FULL: [
        'rules permit it, and the node remembers as many windows of limits as it can',
        'Try again when some of them are over; limits per destination need the most.',
      ],
      METHOD_NOT_ALLOWED: 'the route takes another HTTP method',
      NOT_FOUND: 'there is no such route',
      OVERLOADED: ['more requests wait than the node takes', 'Try again a little later, with fewer at once.'],
      PAYLOAD_MISMATCH: [
        'the algorithm does not take this kind or length of payload',
        'Send the kind that the algorithm takes: docs/node-admin.md.',
      ],
      POLICY_DENIED: [
        'no rule of the configuration permits the request in every field',
        "Compare client, key, algorithm and kind of payload with the configuration's rules; what is missing needs a newly signed one.",
      ],
      POLICY_FAILED: [
        'the evaluation of the rules has failed, which permits nothing',
        'Report the request to those who make Holdfast.',
      ],
      QUORUM_BELOW_THRESHOLD: [
        'fewer nodes than the threshold are reachable, and the key is none that this node serves alone',
        'See which nodes are down; `quorum.servesAlone` of the configuration names the keys of that case.',
      ],
      RATE_LIMITED: [
        'rules permit it, and all of them are used up for now',
        "Try again later, or have a rule's rate raised.",
      ],
      REQUEST_MALFORMED: 'the body is not the JSON of this route',
      REQUEST_TOO_LARGE: 'a body or header longer than the node takes',
      RULE_DENIED: [
        'a rule of the configuration denies the request, whatever others permit',
        'The reasons name the rule; only a newly signed configuration changes it.',
      ],
      STOPPING: ['the node is about to end', 'Try again when it has started anew.'],
      UNKNOWN_CLIENT: 'the configuration names no such client',
      UNKNOWN_KEY: [
        'the configuration names no such key',
        '"holdfast node keys" lists those that there are.',
      ],
    },
  },
  {
    title: 'Signatures of requests',
    who: 'the node, about the HTTP Message Signature of a request',
    next: 'Sign requests as shared/http-signature/SPEC.md says; the client library does.',
    codes: {
      CLIENT_UNKNOWN: [
        'the configuration names no client of this id',
        'Look at the client id, and at clients in the configuration.',
      ],
      DIGEST_MISMATCH: 'the body is not the one whose digest was signed: it was altered on its way',
      REPLAY_CACHE_FULL: [
        'too many requests are remembered to be sure that this one is new',
        'Try again in a minute.',
      ],
      SESSION_MISMATCH: [
        'it was signed for another node, or before this one started',
        'Attest the node again; the client library does so by itself.',
      ],
      SIGNATURE_EXPIRED: ['it was made too long ago', "Set the client's clock."],
      SIGNATURE_INVALID: [
        "it is not one of this client's key",
        'Sign by the key whose public half the configuration names.',
      ],
      SIGNATURE_MALFORMED: 'a field is there twice, or not of the one form that is taken',
      SIGNATURE_MISSING: 'a field that every signed request carries is not there',
      SIGNATURE_PREMATURE: ['it was made in the future', 'One of the clocks is wrong: set it.'],
      SIGNATURE_REPLAYED: 'the very same request was taken before',
    },
  },
  {
    title: 'Keys and shares in a node',
    who: 'the node, when it signs or takes a share',
    next: 'Look at the configuration of the node, and at whoever sent the share.',
    codes: {
      COMMITMENTS_INVALID: "the list of commitments is not that of a quorum, or lacks the node's own",
      HPKE_KEY_INVALID: 'not an X25519 public key, or one whose shared secret is always zero',
      HPKE_OPEN_FAILED: 'the ciphertext was made for another key, or was altered',
      KEY_DESTROYED: 'the key was used after its end: a fault of Holdfast',
      KEY_MALFORMED: 'sealed bytes that are not a key of the type and usage',
      USAGE_MISMATCH: [
        'the key is for another use than the request, or its type has no such use',
        'Ask a key whose usage it is; a usage is chosen once, when a key is made.',
      ],
      PLAINTEXT_TOO_LONG: [
        'the plaintext is longer than the key encrypts',
        'Encrypt a data key instead, and the data with that.',
      ],
      CONTEXT_UNEXPECTED: [
        'RSA binds a ciphertext to no encryption context',
        'Leave the context out, or use a symmetric key.',
      ],
      DECRYPTION_FAILED: [
        'the ciphertext is not one of this key, algorithm and encryption context',
        'Compare all three with those of the encryption.',
      ],
      PEER_KEY_INVALID: [
        "the peer's public key is malformed, or of another curve than the key",
        'Send a SubjectPublicKeyInfo in DER with an uncompressed point.',
      ],
      SHARE_DESTROYED: 'the share was used after its end: a fault of Holdfast',
      SHARE_EXISTS: 'a share of that id was imported before, and is never overwritten',
      SHARE_INVALID: 'the share is not the one that its commitments promise',
      SHARE_MALFORMED: 'sealed bytes that are not a share of the type',
      SHARE_MISMATCH: 'a share of another type, signer, quorum or group than is wanted here',
      SHARE_MISSING: [
        'the configuration names the share, and nobody has imported it yet',
        'Import it: client/README.md.',
      ],
      SHARE_UNREADABLE: 'the share was not encrypted for this node, boot and key, or was altered',
    },
  },
];
