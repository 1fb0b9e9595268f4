import type { CertificateFiles } from '../options.ts';

/** Options of the carrier by NATS with JetStream. */
export interface NatsOptions {
  /** URLs of the servers, `tls://HOST:PORT`. No others are connected to, whatever a server announces. */
  readonly servers: readonly string[];
  /** Namespace and environment of the quorum: tokens of its subjects. */
  readonly namespace: string;
  readonly environment: string;
  readonly tls: CertificateFiles;
  /** Path of a file with a user's JWT and seed, where the servers want one besides the certificate. */
  readonly credentials?: string;
  /** Servers that keep each datagram; 3 when left out. */
  readonly replicas?: number;
  /** Seconds for which a datagram waits for a node that is away; 300 when left out. */
  readonly maxAgeSeconds?: number;
  /** Bytes that wait for this node at most, the oldest being dropped; 64 MiB when left out. */
  readonly maxBytes?: number;
}
