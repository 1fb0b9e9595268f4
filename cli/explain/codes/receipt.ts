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
      RECEIPT_MALFORMED: 'not a receipt',
    },
  },
];
