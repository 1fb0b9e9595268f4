import type { CodeArea } from './area.ts';

export const RECEIPT_CODES: readonly CodeArea[] = [
  {
    title: 'Receipts and entries of the log',
    who: "whoever reads a receipt or an entry of a node's log",
    next: 'Get the file again from whoever keeps it; audit/receipt/SPEC.md has its form.',
    codes: {
      ENTRY_MALFORMED:
        'not an entry of a log: another schema, another order of members, or members that contradict',
      ENTRY_TOO_LARGE: [
        'an entry beyond the 65,535 bytes that a log holds',
        'Split the request: a transaction with fewer effects.',
      ],
      RECEIPT_CONSENT: 'permitted although somebody rejected it, or a vote is not what the entry says of it',
      RECEIPT_CONTRADICTS_CONFIGURATION:
        'the configuration that decided has no such rule, key or client, or names other witnesses',
      RECEIPT_MALFORMED: 'not a receipt',
      RECEIPT_OTHER_BOOT: [
        'the attestation document is of another boot than the decision, and perhaps of another image',
        'Give the document of that boot; --other-boot takes this one, and the image is then not shown.',
      ],
      RECEIPT_OTHER_CONFIGURATION: [
        'another configuration was in force than the one given',
        'Give the signed configuration of the version that the receipt names.',
      ],
      RECEIPT_OTHER_KEY: [
        'another key signed the receipt than the one that the attestation document names',
        'Give a document of the node that decided.',
      ],
      RECEIPT_OTHER_NODE: [
        'the entry is of a node with another manifest',
        'Give the manifest and the pcr.json of the node that decided.',
      ],
      RECEIPT_OTHER_PLACE: 'the proof is of another place in the log than the entry names',
      RECEIPT_OTHER_REQUEST: 'the receipt is about another request than the one given',
      RECEIPT_OTHER_SIGNATURE: 'the signature is none of those that the request was given',
      RECEIPT_SIGNATURE_INVALID: "the signature of the node's receipt key does not verify",
      RECEIPT_UNBOUND: [
        'no attestation document, or one that names no key of receipts: of an older node',
        'Give the document that the node attested with when it served: --document.',
      ],
      RECEIPT_UNDER_WITNESSED: [
        'fewer witnesses were asked for than the node itself wants',
        'Give the witnesses of the configuration, or the configuration itself.',
      ],
      RECEIPT_UNPROVEN: [
        'the receipt has no proof of its place in the log',
        'Ask for the receipt again: it carries one as soon as a checkpoint is over the entry.',
      ],
    },
  },
];
