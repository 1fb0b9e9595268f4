import type { CodeArea } from './area.ts';

export const CEREMONY_CODES: readonly CodeArea[] = [
  {
    title: 'Ceremonies of a quorum',
    who: 'a node that takes part in a ceremony, or the verification of a transcript',
    next: 'The old epoch stays in force: nodes go on signing. "holdfast quorum status" shows what each node holds.',
    codes: {
      CEREMONY_RUNNING: [
        'another ceremony on the key is under way on the node',
        'Wait until it has ended: "holdfast quorum status" names it.',
      ],
      CEREMONY_UNKNOWN: [
        'the node takes no part in the ceremony: it has restarted since, or given it up',
        'Begin the ceremony again.',
      ],
      CEREMONY_PLAN_REFUSED: [
        'the plan of a ceremony, or a message relayed in it, is not what the node knows: another node, session, request or time',
        'Begin it again; if it is refused again, compare configuration and clock of the nodes: one of them restarted, or lies.',
      ],
      CEREMONY_OUT_OF_STEP: [
        'messages of a step arrived that was over, or not yet reached',
        'Begin the ceremony again; the node that led it sent two versions of a step.',
      ],
      CEREMONY_EPOCH_USED: [
        'a node has confirmed that epoch in an earlier ceremony',
        'Begin it again, while that node is reachable when the ceremony is planned.',
      ],
      CEREMONY_UNRESOLVED: [
        'an earlier ceremony was confirmed by some nodes, and the others that had to are not reachable',
        'Start the missing node; where it is lost, reshare to the nodes that remain.',
      ],
      CEREMONY_NODES_UNREACHABLE: [
        'nodes that the ceremony needs were not reached',
        'Look at the peers of each node: every participant needs a session with every other one.',
      ],
      CEREMONY_REFUSED: [
        'a node has refused; its own code is beside this one, as `refusal`',
        'Explain that code: the node may deny by its rules.',
      ],
      CEREMONY_CULPRITS: [
        'nodes have sent what does not verify; the details name all of them',
        'Keep the evidence, and take the nodes named out of the quorum.',
      ],
      CEREMONY_THRESHOLD_LOW: [
        "the threshold asked for is below the manifest's",
        'Ask for a higher one: what the manifest says is measured, and no request goes below it.',
      ],
      CEREMONY_KEY_STATE: [
        'the key exists, or does not, or is pinned, otherwise than the operation needs',
        'Compare the key in "holdfast quorum status" and in the configuration of the node that refuses.',
      ],
      CEREMONY_NOT_ORDERED: [
        'no configuration orders a refresh now, or not by this node',
        'Nothing, unless it repeats: then compare quorum.refreshHours of the nodes.',
      ],
      CERTIFICATE_UNTRUSTED: [
        'the certificate of an epoch has too few signatures of nodes that this one knows',
        'Nothing: the node keeps its share, and asks again when it meets other nodes.',
      ],
      SHARE_SUPERSEDED: [
        'the key has gone on in a newer epoch, of which this node holds no share',
        'Repair the share, or leave the node out.',
      ],
      TRANSCRIPT_MALFORMED: [
        'no transcript, plan, message or certificate of a known format',
        'Fetch the file again from a node that took part.',
      ],
      CEREMONY_SIGNATURE_INVALID: [
        'a message is not signed by its sender for this ceremony and step',
        'Do not use the key: the transcript was altered, or a node relayed what nobody has signed.',
      ],
      CEREMONY_SENDERS_WRONG: [
        'messages of a step are missing, repeated, or of nodes that have no part in it',
        'Fetch the transcript from another node that took part.',
      ],
      CEREMONY_VIEWS_DIFFER: [
        'a participant has signed that it saw other messages than the rest',
        'Keep the evidence: the node that led the ceremony showed two versions, or that participant lies.',
      ],
      CEREMONY_DEALING_INVALID: [
        "a dealer's commitments, proofs or ciphertexts do not fit",
        'Keep the evidence, and take the nodes named out of the quorum.',
      ],
      CEREMONY_UNENDORSED: [
        'the ceremony does not start from the group that the one before has made, or other nodes have dealt it',
        'Do not use the epoch; ask other nodes for the transcript that they hold.',
      ],
      CEREMONY_RESULT_WRONG: [
        'the groups that the dealings make are not those that were confirmed',
        'Do not use the key.',
      ],
      CEREMONY_DOCUMENT_WRONG: [
        "a participant's attestation document does not vouch for its part in the ceremony",
        'Give the manifest and measurements of every participant; if they are right, do not use the key.',
      ],
      EVIDENCE_INSUFFICIENT: [
        'the signed messages do not prove what a node is accused of',
        'Do not act on the accusation.',
      ],
    },
  },
];
