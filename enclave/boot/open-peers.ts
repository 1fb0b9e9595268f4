import type { SignedConfiguration } from '../../shared/documents/configuration.ts';
import type { NodeClock } from '../node/clock.ts';
import type { MeasuredManifest } from '../node/manifest.ts';
import type { NodeKeys } from '../node/node-keys.ts';
import type { Platform } from '../node/platform.ts';
import type { NsmClient } from '../nsm/index.ts';
import {
  openParentCarrier,
  openPeerNetwork,
  type OpenPeerNetwork,
  type PeerBinding,
} from '../peers/index.ts';

/** The parts of a node that prove to others what it is. */
interface PeerParts {
  readonly nsm: NsmClient;
  readonly clock: NodeClock;
  readonly measured: MeasuredManifest;
  readonly signed: SignedConfiguration;
  /** Id of this boot in hex, 16 bytes. */
  readonly session: string;
  readonly nodeKeys: NodeKeys;
}

/** Describes this node as other nodes of its quorum know it. */
function describePeer({ measured, signed, session, nodeKeys }: PeerParts): PeerBinding {
  return {
    node: measured.manifest.node,
    session,
    configuration: {
      version: signed.configuration.version,
      digest: Buffer.from(signed.digest).toString('hex'),
    },
    receiptKey: Buffer.from(nodeKeys.receipt.publicKey).toString('hex'),
  };
}

/** Opens the channels to the other nodes of the quorum; null where the configuration names none. */
export function openPeers(platform: Platform, parts: PeerParts): OpenPeerNetwork | null {
  const { nsm, clock, measured, signed } = parts;
  const { quorum } = signed.configuration;
  if (quorum === undefined) return null;
  const { node } = measured.manifest;
  return openPeerNetwork({
    binding: describePeer(parts),
    manifest: measured.digest,
    peers: quorum.peers,
    nsm,
    root: platform.nitroRoot,
    carrier: openParentCarrier({
      transport: platform.transport,
      node,
      peers: quorum.peers.map((peer) => peer.node),
    }),
    now: () => clock.now(),
  });
}
