import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ed25519PublicKeyHex } from '../../shared/dsse/index.ts';
import {
  type ConfigurationDocument1,
  CONFIGURATION_FORMAT_1,
  type Rule1,
} from '../../shared/documents/configuration.ts';
import { type Manifest, MANIFEST_FORMAT } from '../../shared/documents/manifest.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** Makes a temporary folder, with the paths in it by name and a way to write files there. */
export function makeFolder(): { path: string; at: (name: string) => string; write: Write } {
  const path = temporaryFolder();
  const at = (name: string): string => join(path, name);
  const write: Write = (name, content, mode = 0o644) => {
    writeFileSync(at(name), content, { mode });
    return at(name);
  };
  return { path, at, write };
}

type Write = (name: string, content: string | Uint8Array, mode?: number) => string;

/** Makes an Ed25519 key pair, in PEM. */
export function makeKey(): { pem: string; publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { pem: exportPem(privateKey), publicKey: ed25519PublicKeyHex(publicKey) };
}

export function exportPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' });
}

export function makeManifest(
  authorities: readonly string[],
  changes: Partial<Manifest> & { threshold?: number } = {},
) {
  const { threshold = authorities.length, ...rest } = changes;
  const manifest: Manifest = {
    format: MANIFEST_FORMAT,
    namespace: 'acme',
    environment: 'production',
    node: 2,
    quorum: { size: 3, threshold: 2 },
    kms: {
      keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/12345678-1234-1234-1234-123456789012',
      region: 'eu-central-1',
    },
    configurationAuthority: { threshold, keys: [...authorities] },
    emergencyRecovery: { publicKey: 'ab'.repeat(32) },
    ...rest,
  };
  const text = `${JSON.stringify(manifest, undefined, 2)}\n`;
  return { manifest, text, digest: createHash('sha384').update(text).digest('hex') };
}

export const RULE: Rule1 = {
  id: 'hot-messages',
  operations: ['sign'],
  clients: ['wallet'],
  keys: ['hot'],
  algorithms: ['ed25519'],
  payloads: ['message'],
  rate: { count: 10, seconds: 60 },
};

export function makeConfiguration(
  manifest: string,
  version: number,
  changes: Partial<ConfigurationDocument1> = {},
): ConfigurationDocument1 {
  return {
    format: CONFIGURATION_FORMAT_1,
    version,
    manifest,
    clients: [{ id: 'wallet', publicKey: '11'.repeat(32) }],
    keys: [{ id: 'hot', type: 'ed25519' }],
    rules: [RULE],
    ...changes,
  };
}
