import { digestOf } from '../exchange/index.ts';
import type { DeployedNode } from './deploy-node.ts';
import { StepError } from './errors.ts';

/** Code of an enclave that KMS does not admit yet, as it has to be before the gate. */
const NOT_ADMITTED = 'KMS_ACCESS_DENIED';

/** Attestation document that a node's enclave has made for a nonce (hex), and its SHA-384 in hex. */
export interface ShownDocument {
  readonly node: number;
  readonly nonce: string;
  readonly sha384: string;
  readonly document: Uint8Array;
}

/** Names the file of a node's document beside the statement that has it. */
export const documentFile = (node: number): string => `attestation-${node}.cbor`;

/** Describes a document that was verified by nobody yet. */
export function describeShown(node: number, nonce: string, document: Uint8Array): ShownDocument {
  return { node, nonce, sha384: digestOf(document), document };
}

/**
 * Takes the document of an enclave that has attested and that KMS has refused, as it has to before the gate.
 *
 * @throws StepError VAULT_NODE_UNEXPECTED
 */
export function takeShown(
  { node, nonce }: Pick<ShownDocument, 'node' | 'nonce'>,
  { phase, code, document }: DeployedNode,
): ShownDocument {
  if (document !== null && code === NOT_ADMITTED) return describeShown(node, nonce, document);
  throw new StepError(
    'VAULT_NODE_UNEXPECTED',
    'expected an enclave that has attested, and that KMS refuses',
    { node, phase, code },
  );
}

/** Makes what a statement tells of documents, and its files, ordered by node. */
export function tellShown(shown: readonly ShownDocument[]) {
  const ordered = shown.toSorted((one, other) => one.node - other.node);
  return {
    documents: ordered.map(({ node, nonce, sha384 }) => ({ node, nonce, sha384 })),
    files: ordered.map(({ node, document }) => ({ name: documentFile(node), bytes: document })),
  };
}
