import type { CodeArea } from './area.ts';

export const PEER_CODES: readonly CodeArea[] = [
  {
    title: 'Other nodes: calls to them',
    who: 'a node that asks another node of its quorum for something',
    next: 'Look at the state of that node in `quorum status`.',
    codes: {
      PEER_CLOSED: ['this node is stopping', 'Ask another node.'],
      PEER_KIND_UNKNOWN: [
        'the other node answers no calls of this kind',
        'Run images of the same release, or wait until the other node serves.',
      ],
      PEER_OVERLOADED: 'as many calls, or bytes, as may wait for the other node do so already',
      PEER_REFUSED: 'the other node has refused the call, with the code beside it',
      PEER_UNKNOWN: [
        'the configuration names no node of this number',
        'Have a configuration signed whose `quorum` names it.',
      ],
      PEER_UNREACHABLE: [
        'there is no session with the other node, or no answer came in time: what was asked may have been done',
        'Look at that node, its parent, and the way between the two parents.',
      ],
    },
  },
  {
    title: 'Other nodes: why one is no peer',
    who: 'a node, in its status: the other one has not proved to be a node of its quorum',
    next: 'Compare the measurements and the manifest of the other node with `quorum` in the configuration of this one.',
    codes: {
      PEER_BINDING_MALFORMED: [
        'the attestation document of the other node holds no holdfast-peer/1',
        'Run images of the same release, or of releases that say they go together.',
      ],
      PEER_CLOCK_DIFFERS: [
        "the other node's document is of a time that this node's clock has not reached",
        'Look at the hosts; the NSM of each gives the time.',
      ],
      PEER_DEBUG: [
        'the other node is an enclave in debug mode, open to its parent',
        'Start it without --debug-mode.',
      ],
      PEER_DOCUMENT_REFUSED: [
        'what the other node has shown is no genuine attestation document: form, chain, signature or root',
        'Look for whoever is on the way between the parents; a genuine node cannot show that.',
      ],
      PEER_DOCUMENT_STALE:
        'the document was made for another handshake, or too long ago: somebody has kept it and shows it again',
      PEER_IMAGE_EXPIRED: [
        'the configuration accepted the image of the other node until a time that has passed',
        'Start the other node with its new image, or have a configuration signed that accepts the old one for longer.',
      ],
      PEER_IMAGE_REFUSED:
        'the configuration accepts, of the other node, no image with the measurements that it has',
      PEER_KEY_MISMATCH: [
        'the document vouches for another key than the one that was used: it was taken from another connection',
        'Look for whoever is on the way between the parents.',
      ],
      PEER_MESSAGE_MALFORMED: [
        'a genuine node has sent what no node sends',
        'Run images of the same release, or of releases that say they go together.',
      ],
      PEER_NUMBER_WRONG: [
        'a genuine node of this quorum, under the number of another one',
        "Compare the nodes' numbers in the configurations of the parents.",
      ],
      PEER_OTHER_QUORUM: 'a genuine enclave whose manifest the configuration names for no node',
      PEER_REFUSES_THIS_NODE: [
        'the other node has refused this one, with the code beside it',
        "Compare this node's measurements and manifest with `quorum` in the configuration of the other node.",
      ],
      PEER_SELF: [
        'what this node has sent came back to it',
        "Look at the addresses of peers in the parent's configuration.",
      ],
      PEER_SILENT: [
        'nothing authentic has come from the other node for longer than a session lives without a word',
        'Look at that node, its parent, and the way between the two parents.',
      ],
    },
  },
  {
    title: 'Noise: messages of a handshake, ciphertexts',
    who: 'shared/noise, by which nodes talk; a node drops such a message and goes on',
    next: 'Look for whoever is on the way between the parents.',
    codes: {
      NOISE_DECRYPT_FAILED: 'a ciphertext was altered, or made with other keys',
      NOISE_KEY_REFUSED:
        'a public key that would make the shared secret known to everybody, or none of X25519',
      NOISE_MESSAGE_LENGTH: 'a message shorter than its keys and tags, or longer than 65,535 bytes',
      NOISE_NONCE_EXHAUSTED: 'the last nonce of a key was used',
    },
  },
];
