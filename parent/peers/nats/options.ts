import type { CertificateTexts } from '../certificates.ts';
import type { CertificateFiles } from '../options.ts';

/** What a node shows to the servers, as texts. */
export interface NatsIdentity {
  readonly tls: CertificateTexts;
  /** A user's JWT and seed, where the servers want one besides the certificate. */
  readonly credentials?: string;
}

/** Files of what a node shows to the servers. They are read anew when they change. */
interface NatsFiles {
  readonly tls: CertificateFiles;
  /** Path of a file with a user's JWT and seed, where the servers want one besides the certificate. */
  readonly credentials?: string;
}

/** Source that has what a node shows to the servers; it is asked before each connection. */
interface NatsIdentitySource {
  /** @throws PeerLinkError SECRET_UNAVAILABLE, SECRET_UNUSABLE */
  readonly identity: () => Promise<NatsIdentity>;
}

/** Options of the carrier by NATS with JetStream. */
export type NatsOptions = NatsServers & (NatsFiles | NatsIdentitySource);

/** Servers, and how datagrams wait with them. */
export interface NatsServers {
  /** URLs of the servers, `tls://HOST:PORT`. No others are connected to, whatever a server announces. */
  readonly servers: readonly string[];
  /** Namespace and environment of the quorum: tokens of its subjects. */
  readonly namespace: string;
  readonly environment: string;
  /** Servers that keep each datagram; 3 when left out. */
  readonly replicas?: number;
  /** Seconds for which a datagram waits for a node that is away; 300 when left out. */
  readonly maxAgeSeconds?: number;
  /** Bytes that wait for this node at most, the oldest being dropped; 64 MiB when left out. */
  readonly maxBytes?: number;
}
