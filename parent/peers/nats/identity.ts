import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { errorCode } from '../../../shared/errors.ts';
import { PeerLinkError } from '../errors.ts';
import type { NatsIdentity } from './options.ts';

/** Where what a node shows to NATS servers comes from. */
export interface IdentitySources {
  /** Authorities, in PEM. */
  readonly ca: string;
  /** Reads a certificate, with its chain, and its private key, in PEM. */
  readonly read: () => Promise<string>;
  /** Reads a user's JWT and seed; undefined where the servers want none. */
  readonly user: (() => Promise<string>) | undefined;
}

/** Reads what a node shows to NATS servers. @throws PeerLinkError SECRET_UNAVAILABLE, SECRET_UNUSABLE */
export async function readNatsIdentity({ ca, read, user }: IdentitySources): Promise<NatsIdentity> {
  const [pem, credentials] = await Promise.all([read(), user?.()]).catch((error: unknown) => {
    throw new PeerLinkError(
      'SECRET_UNAVAILABLE',
      'a secret for NATS cannot be read',
      { reason: errorCode(error) },
      error,
    );
  });
  // OpenSSL takes of each text the blocks that it looks for.
  const tls = { ca, cert: pem, key: pem };
  try {
    if (new X509Certificate(pem).checkPrivateKey(createPrivateKey(pem))) createSecureContext(tls);
    else throw new TypeError('another key');
  } catch {
    // The cause is left out: OpenSSL may quote what it could not read.
    throw new PeerLinkError('SECRET_UNUSABLE', 'expected a certificate and its private key, in PEM');
  }
  return credentials === undefined ? { tls } : { tls, credentials };
}
