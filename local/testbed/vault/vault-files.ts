import { type KeyObject, generateKeyPairSync } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ed25519PublicKeyHex } from '../../../shared/dsse/index.ts';
import type { Release } from './releases.ts';
import { encodeVault, makeSampleVault, type SampleVault } from './sample-vault.ts';

/** Private keys of everybody in a vault, as files that their owners alone read. */
export interface VaultKeys {
  /** Paths of the keys that sign statements, by role. */
  readonly statement: ReadonlyMap<string, string>;
  /** Paths of the keys that sign configurations, by the number of the node. */
  readonly authority: ReadonlyMap<number, string>;
  /** Paths of the keys of clients, by id. */
  readonly clients: ReadonlyMap<string, string>;
}

/** A vault.yaml, and the private keys of everybody whom it names. */
export interface WrittenVault {
  /** Bytes of vault.yaml. */
  readonly yaml: Buffer;
  readonly vault: SampleVault;
  readonly keys: VaultKeys;
}

/** Writes the private keys of everybody in a vault, and makes the vault.yaml that names their public ones. */
export async function writeVault(
  folder: string,
  options: {
    readonly release: Release;
    readonly accounts: readonly [infrastructure: string, ...nodes: string[]];
    readonly change: ((vault: SampleVault) => void) | undefined;
  },
): Promise<WrittenVault> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const write = async (name: string): Promise<{ path: string; publicKey: string }> => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const path = join(folder, `${name}.pem`);
    await writeFile(path, pem(privateKey), { mode: 0o600 });
    return { path, publicKey: ed25519PublicKeyHex(publicKey) };
  };
  const vault = makeSampleVault(undefined, options.accounts);
  const statement = new Map<string, string>();
  const authority = new Map<number, string>();
  const clients = new Map<string, string>();
  const own = await write('infrastructure');
  statement.set('infrastructure', own.path);
  vault.infrastructure['statementKey'] = own.publicKey;
  for (const [index, node] of vault.nodes.entries()) {
    const [key, signer] = [await write(`node-${index + 1}`), await write(`authority-${index + 1}`)];
    statement.set(`node-${index + 1}`, key.path);
    authority.set(index + 1, signer.path);
    node.statementKey = key.publicKey;
    node.configurationAuthority = { threshold: 1, keys: [signer.publicKey], function: false };
  }
  for (const client of vault.clients) {
    const key = await write(`client-${String(client['id'])}`);
    clients.set(String(client['id']), key.path);
    client['publicKey'] = key.publicKey;
  }
  const { version, from, publicKey: releaseKey } = options.release;
  vault.release = { version, from, publicKey: releaseKey };
  options.change?.(vault);
  return { yaml: encodeVault(vault), vault, keys: { statement, authority, clients } };
}

/** Makes it a vault of one node, whose key it holds whole. */
export function ofOneNode(vault: SampleVault): void {
  vault.nodes = vault.nodes.slice(0, 1);
  vault.threshold = 1;
  vault.tenant.keys = [{ id: 'treasury', type: 'ed25519', networks: [] }];
  for (const rule of vault.tenant.rules) rule['algorithms'] = ['ed25519'];
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' });
}
