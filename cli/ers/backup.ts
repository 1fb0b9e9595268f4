import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type VerifiedBackup, verifyBackup } from '../../audit/recovery/index.ts';
import { connectNode, type NodeClient, type NodeClientOptions } from '../../client/index.ts';
import type { RecoveryStatus } from '../../shared/api/recovery.ts';
import { HoldfastError } from '../../shared/errors.ts';
import { parseBackup } from '../../shared/recovery/index.ts';
import { MANIFEST_PCR } from '../../attestation/index.ts';
import { type Command, UsageError } from '../common/command.ts';
import { writeOutput } from '../common/output-file.ts';
import { CLIENT_OPTIONS, readIdentifier, readNodeOptions, withNode } from '../node/connection.ts';
import { printable } from '../common/printable.ts';
import { readSigningKey } from '../common/private-key.ts';
import { readNodeProfile } from '../quorum/connection.ts';
import { nameBackup } from './backups.ts';

const AS_CLIENT =
  '--url https://127.0.0.1:8443 --pcrs pcr.json --manifest manifest.json --client keeper-backend --key client.pem';

export const backupCommand: Command = {
  name: 'ers backup',
  summary:
    'Have a node encrypt its keys and shares to its recovery key, each with an attested proof; verify the proofs, and write the files.',
  positionals: '[KEY...]',
  options: {
    ...CLIENT_OPTIONS,
    node: {
      type: 'string',
      value: 'FILE',
      multiple: true,
      description: 'holdfast.yaml of one more node to back up (repeat)',
    },
    output: { type: 'string', value: 'FOLDER', required: true, description: 'folder of the backups' },
    nonce: { type: 'string', value: 'HEX', description: "the auditor's nonce (default: a random one)" },
  },
  examples: [
    `holdfast ers backup --output backups ${AS_CLIENT}`,
    `holdfast ers backup treasury --output backups ${AS_CLIENT}`,
    'holdfast ers backup --output backups --profile node-1.yaml --node node-2.yaml --node node-3.yaml',
  ],
  run: async (input) => {
    const folder = input.text('output') ?? '';
    const nonce = input.text('nonce') ?? randomBytes(32).toString('hex');
    if (!/^(?:[0-9a-f]{2}){16,64}$/.test(nonce))
      throw new UsageError('--nonce is 16 to 64 bytes in lower-case hex');
    const names = input.positionals.map((name) => readIdentifier(name, 'KEY'));
    const clientId = readIdentifier(input.text('client'), '--client');
    const { privateKey } = await readSigningKey(input.text('key') ?? '');
    const places = [await readNodeOptions(input)];
    for (const path of input.texts('node')) places.push(await readNodeProfile(path, input));
    await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      throw new UsageError(`cannot make ${folder}: ${error.code ?? 'unknown error'}`);
    });
    const written: WrittenBackup[] = [];
    const failed: FailedNode[] = [];
    for (const place of places) {
      try {
        const node = await connectNode({ ...place, clientId, privateKey });
        try {
          for await (const one of backUpNode(node, place, { names, nonce, folder })) written.push(one);
        } finally {
          node.close();
        }
      } catch (error) {
        // A node that is down keeps no other from its backup.
        if (!(error instanceof HoldfastError) || places.length === 1) throw error;
        failed.push({ url: place.url, code: error.code, message: error.message });
      }
    }
    return {
      ok: failed.length === 0,
      text: [
        ...written.map(({ path, backup }) => `${path}\n  ${nameBackup(backup)}`),
        ...failed.map(({ url, code, message }) => printable(`${url}: ${code}: ${message}`)),
        'next: keep copies apart from the nodes; a keeper verifies them and says so: holdfast ers acknowledge',
      ].join('\n'),
      data: {
        ...(failed[0] === undefined
          ? {}
          : { error: { code: failed[0].code, message: failed[0].message, details: { failed } } }),
        nonce,
        backups: written.map(({ path, backup: { statement, digest } }) => ({
          path,
          node: statement.node.index,
          key: statement.key,
          statement: digest,
        })),
      },
    };
  },
};

interface WrittenBackup {
  readonly path: string;
  readonly backup: VerifiedBackup;
}

/** Node that was not backed up, or not whole, and why. */
interface FailedNode {
  readonly url: string;
  readonly code: string;
  readonly message: string;
}

/** Has a node back up keys, verifies each proof, and writes each file as it arrives. */
async function* backUpNode(
  node: NodeClient,
  { trust }: Pick<NodeClientOptions, 'trust'>,
  { names, nonce, folder }: { names: readonly string[]; nonce: string; folder: string },
): AsyncGenerator<WrittenBackup> {
  const { root, manifest } = trust;
  // The register of the manifest is that of each backup's own.
  const pcrs = [trust.pcrs]
    .flat()
    .map((one) => new Map([...one].filter(([index]) => index !== MANIFEST_PCR)));
  for (const key of names.length > 0 ? names : await listKeys(node))
    for (let after: string | null | undefined = null, page = 1; after !== undefined; page += 1) {
      const bytes = await node.recovery.backUp(key, nonce, after);
      const backup = verifyBackup(parseBackup(bytes), { root, pcrs, manifests: [manifest], nonce });
      const { statement } = backup;
      const suffix = page === 1 ? '' : `.${page}`;
      const path = join(folder, `node-${statement.node.index}.${key}${suffix}.json`);
      await writeOutput(path, bytes);
      yield { path, backup };
      after = statement.more ? statement.entries.at(-1)?.id : undefined;
    }
}

/** Lists what the node holds anything of. */
async function listKeys(node: NodeClient): Promise<string[]> {
  const { keys } = await node.recovery.status();
  return keys.filter(({ state }) => state !== 'empty').map(({ key }) => key);
}

export const statusCommand: Command = {
  name: 'ers status',
  summary: 'Say which keys of a node a kept backup covers; refused where one that is needed is not.',
  positionals: '',
  options: CLIENT_OPTIONS,
  examples: [`holdfast ers status ${AS_CLIENT}`],
  run: (input) =>
    withNode(input, async (node) => {
      const status = await node.recovery.status();
      const lacking = status.keys.filter(
        ({ required, state }) => required && state !== 'kept' && state !== 'empty',
      );
      const lines = status.keys.map(describeKey);
      const code = lacking.some(({ state }) => state === 'missing') ? 'BACKUP_MISSING' : 'BACKUP_OUTDATED';
      return {
        ok: lacking.length === 0,
        text: [...(lacking.length === 0 ? [] : [code]), ...lines].join('\n'),
        data: { ...(lacking.length === 0 ? {} : { error: code }), ...status },
      };
    }),
};

/** Describes in a line whether a key is covered, and whose word counts, or counts no more. */
function describeKey({ key, state, required, kept, formerKeepers }: RecoveryStatus['keys'][number]): string {
  return [
    `${key}: ${state}`,
    ...(required ? [] : ['not required']),
    ...(kept === null ? [] : [`${kept.time} by word of ${kept.keeper}`]),
    ...(formerKeepers.length === 0
      ? []
      : [
          `the word of ${formerKeepers.join(', ')} counts no more: no keeper of the configuration, or by another key`,
        ]),
  ].join(', ');
}
