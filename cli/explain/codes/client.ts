import type { CodeArea } from './area.ts';

export const CLIENT_CODES: readonly CodeArea[] = [
  {
    title: 'The client of a node',
    who: 'the client library, and `node attest`, `keys`, `sign`',
    next: 'Trust nothing that came over this connection.',
    codes: {
      ANSWER_LOST: [
        'the connection broke before the response had arrived: nobody knows whether the request was carried out',
        'Ask again: a signature is made at most once per request, and signing the same again harms nothing.',
      ],
      ANSWER_MALFORMED: [
        'not a response as a node gives it',
        'Look at the URL: something else listens there.',
      ],
      ANSWER_TIMEOUT: [
        'no response in time: nobody knows whether the request was carried out',
        'Look at the load of the node, and ask again.',
      ],
      APPROVALS_NEEDED: [
        'the request waits in the node until people have approved it; the details have its id',
        'Give the id to the approvers, and call "holdfast node resume ID" afterwards.',
      ],
      BINDING_MALFORMED:
        "the document verifies, but its user data is not a node's: another program runs in that enclave",
      CEREMONY_FAILED: [
        'a ceremony of the quorum has ended without a new epoch: the old state stays in force',
        'The details have its code and the nodes at fault: "holdfast explain CODE" says more. Begin it again afterwards.',
      ],
      CONFIGURATION_ROLLED_BACK: [
        'an older configuration is in force than the one asked for or seen before: the store was rolled back',
        'Find out on the parent who put back the store; start the node with the newest configuration.',
      ],
      NODES_UNREACHABLE: [
        'every node of the quorum was passed over: nothing was carried out; the details have the code of each',
        'Look at each node by "holdfast node status", and ask again.',
      ],
      NODE_UNREACHABLE: [
        'no TLS connection: nothing was sent',
        'Look at the URL, the network and "holdfast node status".',
      ],
      TLS_KEY_MISMATCH: 'TLS ended with another key than the document vouches for: somebody is in between',
    },
  },
];
