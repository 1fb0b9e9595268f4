import type { PeerIdentity } from '../../../enclave/peers/peer-network.ts';

/** An identity of a node in a test; nothing vouches for it. */
export function makeIdentity(node: number, known: Partial<PeerIdentity> = {}): PeerIdentity {
  return {
    node,
    manifest: new Uint8Array(48).fill(node),
    session: node.toString(16).padStart(32, '0'),
    configuration: { version: 1, digest: '00'.repeat(48) },
    receiptKey: new Uint8Array(32).fill(node),
    document: new Uint8Array(1),
    ...known,
  };
}
