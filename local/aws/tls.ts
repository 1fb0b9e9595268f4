import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { z } from 'zod';
import { issueCertificate } from '../../shared/x509/certificate.ts';
import { parseEndpointHost } from './exchange.ts';
import type { StateStore } from './state.ts';

const DAY = 86_400_000;
const AUTHORITY_NAME = 'Holdfast local AWS authority';
/** Maximum of host names with a certificate, as many as one run needs; further names get that of localhost. */
const MAX_HOSTS = 256;
/** Names of buckets in the host's name, under localhost. */
const LOCAL_BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\.localhost$/;

const recordSchema = z.object({ privateKey: z.string(), certificate: z.string() });

/** Certificate authority that stands in for the public ones that AWS uses, and issues its servers' certificates. */
export interface LocalAuthority {
  /** Certificate of the authority in PEM: clients pin it. */
  readonly caPem: string;
  readonly localhost: { readonly key: string; readonly cert: string };
  /** Makes a context for TLS's server name, with a certificate for it where the name is one of AWS's. */
  contextFor(serverName: string): SecureContext | undefined;
}

/** Opens the authority of a state directory: made once, then found again. */
export function openAuthority(state: StateStore, now: number): LocalAuthority {
  const authority = loadAuthority(state, now);
  const privateKey = createPrivateKey(authority.privateKey);
  const server = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = exportPem(server.privateKey);
  const issue = (subject: string, names: readonly string[]): string =>
    issueCertificate({
      subject,
      names,
      publicKey: server.publicKey,
      issuer: { name: AUTHORITY_NAME, privateKey },
      notBefore: new Date(now - DAY),
      notAfter: new Date(now + 90 * DAY),
    });
  const localhost = { key, cert: issue('localhost', ['localhost', '127.0.0.1', '::1']) };
  const contexts = new Map<string, SecureContext>();
  return {
    caPem: authority.certificate,
    localhost,
    contextFor(serverName) {
      const known = contexts.get(serverName);
      if (known !== undefined || !isAwsHost(serverName) || contexts.size >= MAX_HOSTS) return known;
      const context = createSecureContext({ key, cert: issue(serverName, [serverName]) });
      contexts.set(serverName, context);
      return context;
    },
  };
}

function isAwsHost(name: string): boolean {
  return parseEndpointHost(name) !== undefined || LOCAL_BUCKET.test(name);
}

function loadAuthority(state: StateStore, now: number): z.infer<typeof recordSchema> {
  const [stored] = state.list('authority');
  if (stored !== undefined) return recordSchema.parse(stored.value);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const record = {
    privateKey: exportPem(privateKey),
    certificate: issueCertificate({
      subject: AUTHORITY_NAME,
      publicKey: createPublicKey(privateKey),
      issuer: { name: AUTHORITY_NAME, privateKey },
      notBefore: new Date(now - DAY),
      notAfter: new Date(now + 3650 * DAY),
    }),
  };
  state.put('authority', 'tls', record);
  return record;
}

function exportPem(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' });
}
