import type { CodeArea } from './area.ts';

export const APPROVAL_CODES: readonly CodeArea[] = [
  {
    title: 'Approvals',
    who: 'the node, of a vote on a request that waits; the page and the command before they send one',
    next: 'Read the request again from its node, and vote on what it says then: docs/approvals.md.',
    codes: {
      APPROVAL_COUNTER_BACK: [
        "the passkey's counter did not grow: a copy of the passkey may exist, or the vote was used before",
        'Find out whether the authenticator was copied; have it replaced in the configuration.',
      ],
      APPROVAL_EXPIRED: [
        'the request has expired, or the vote names another end',
        'Have the client ask again.',
      ],
      APPROVAL_MALFORMED: 'the vote is not a statement of holdfast-approval/1 in its canonical form',
      APPROVAL_ORIGIN: [
        'the passkey was asked by a page of another origin than the configuration names, or by a framed page',
        'Open the page where your entry in the configuration says; if you did, a page has tried to use your passkey.',
      ],
      APPROVAL_OTHER_NODE: 'the vote is for a node with another manifest',
      APPROVAL_OTHER_REQUEST: 'the vote is about another request, or another transaction',
      APPROVAL_OTHER_RULE: 'the vote is under another configuration or rule than the one in force',
      APPROVAL_REPEATED: ['the approver has voted on this request already', 'There is nothing to do.'],
      APPROVAL_SIGNATURE_INVALID: 'the signature does not verify with the credential that the vote names',
      APPROVAL_USER_NOT_VERIFIED: [
        'the passkey did not verify its user by a PIN or a biometric',
        'Set up a PIN or a fingerprint on the authenticator.',
      ],
      APPROVER_IS_REQUESTER: [
        'the approver is the person behind the client that made the request',
        'Somebody else has to approve.',
      ],
      APPROVER_NOT_ASKED: ['the rule does not ask this approver', 'Somebody of its groups has to approve.'],
      APPROVER_UNKNOWN: [
        'the configuration has no such approver with this credential',
        'Compare your id and credential with your entry in the configuration.',
      ],
    },
  },
  {
    title: 'Review of a request',
    who: 'the page and the command, of a request that somebody has shown to an approver',
    next: 'Do not approve. Ask for the manifest and the pcr.json by another way, and read the request again.',
    codes: {
      REVIEW_CONFIGURATION:
        "the configuration is not the one that the request names, or not signed by the manifest's authorities",
      REVIEW_EXPIRED: ['the request has expired', 'Have the client ask again.'],
      REVIEW_KEY_UNATTESTED: 'the attestation document names no receipt key',
      REVIEW_MALFORMED: 'what was shown is not a request for review, or a part of it is malformed',
      REVIEW_MANIFEST: ['the file is not a manifest', 'Choose the manifest.json of the node.'],
      REVIEW_OTHER_NODE: 'the request comes from an enclave with another manifest',
      REVIEW_OTHER_REQUEST: 'another request than the one asked for, or an altered one',
      REVIEW_READINGS_DIFFER: [
        'the node has read the transaction in another way than the page or the command',
        'Do not approve. The image and your page or command are of different versions, or one of them errs: report it.',
      ],
      REVIEW_SIGNATURE_INVALID: "the request is not signed by the node's attested receipt key",
      REVIEW_UNREADABLE: [
        'the transaction cannot be read',
        'Use a page or command of the version of the image, or reject.',
      ],
    },
  },
  {
    title: 'Votes by the command, and the door for approvers',
    who: 'holdfast approve, and the door of the parent',
    next: 'Look whether the node runs and its parent has a door for approvers: docs/approvals.md.',
    codes: {
      DIGEST_NOT_CONFIRMED: [
        '--yes-digest is not the digest of the request that came',
        'Read the request again with "holdfast approve show".',
      ],
      ENCLAVE_UNREACHABLE: 'the parent does not reach the enclave',
      REQUEST_UNREACHABLE: 'neither the node nor the door of its parent responds as one does',
      VOTE_NOT_COUNTED: [
        "the vote was sent, and the node's signed list of votes does not have it: somebody on the way has dropped it",
        'Send it by another way, such as to the node itself.',
      ],
    },
  },
  {
    title: 'Requests that wait for approvals',
    who: 'the node, in its response to a client or an approver',
    next: 'GET /v1/requests shows the requests of a client, and what each still needs: docs/approvals.md.',
    codes: {
      REQUESTS_FULL: [
        'the node keeps no more requests that wait, of all clients or of this one; or no more approvals of one',
        'Wait until some were carried out or have expired.',
      ],
      REQUEST_DONE: ['the request was carried out', 'Its receipt is in the log.'],
      REQUEST_REJECTED: ['an approver has rejected the request', 'Ask them why; the client may ask anew.'],
      REQUEST_UNKNOWN: [
        'no request of this id waits, or none of this client: it has expired, or the configuration has changed',
        'Have the client ask again.',
      ],
    },
  },
  {
    title: 'Passkeys',
    who: 'the node and the page, of what a browser and an authenticator give (WebAuthn)',
    next: 'Try again on the page that your entry in the configuration names, with the passkey that it names.',
    codes: {
      WEBAUTHN_ATTESTATION_OBJECT: 'a registration whose attestation object is malformed',
      WEBAUTHN_AUTHENTICATOR_DATA: 'malformed authenticator data',
      WEBAUTHN_BACKUP_STATE: 'a passkey that says it is backed up and cannot be',
      WEBAUTHN_CHALLENGE: 'something else was signed than what was asked for',
      WEBAUTHN_CLIENT_DATA: 'malformed clientDataJSON',
      WEBAUTHN_COUNTER: "the passkey's counter did not grow",
      WEBAUTHN_CROSS_ORIGIN: 'the page that asked was framed by another one',
      WEBAUTHN_ORIGIN: 'the page that asked is of another origin',
      WEBAUTHN_PUBLIC_KEY: [
        'no public key of ES256 or EdDSA',
        'Make a passkey on an authenticator that has one of the two algorithms.',
      ],
      WEBAUTHN_RELYING_PARTY: 'the passkey was used for another domain',
      WEBAUTHN_SIGNATURE: "the passkey's signature does not verify",
      WEBAUTHN_TYPE: 'a registration where an approval was expected, or the other way round',
      WEBAUTHN_USER_PRESENCE: 'nobody touched the authenticator',
      WEBAUTHN_USER_VERIFICATION: [
        'the authenticator did not verify its user',
        'Set up a PIN or a fingerprint on it.',
      ],
    },
  },
];
