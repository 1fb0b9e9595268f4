import { createHash } from 'node:crypto';
import { join, relative, resolve } from 'node:path';
import { Exchange } from '../../admin/vault/exchange/index.ts';
import { describeRoles, findPlaces } from '../../admin/vault/index.ts';
import { describeConfigurations } from '../../admin/vault/steps/configuration/index.ts';
import { StepError } from '../../admin/vault/steps/index.ts';
import { type Command, type CommandInput, type Outcome, UsageError } from '../common/command.ts';
import { writeOutput } from '../common/output-file.ts';
import { makePrivateFolder } from '../common/private-folder.ts';
import { readRootFile } from '../common/trust-files.ts';
import { readIdentifier } from '../node/connection.ts';
import { openExchangeFolder } from './exchange-folder.ts';
import { openRelease } from './open-release.ts';
import { readSoundVaultFile, VAULT_OPTION, type VaultFile } from './options.ts';
import { EXCHANGE_OPTION, exchangeFolder, releasesFolder, RUN_OPTIONS } from './run-options.ts';
import { forgetfulMemory } from './work-folder.ts';

export const profilesCommand: Command = {
  name: 'vault profiles',
  summary:
    'Write a profile of each node for whoever asks them: address, manifest and measurements, from the signed statements and the release that was fetched.',
  positionals: '',
  options: {
    ...VAULT_OPTION,
    ...EXCHANGE_OPTION,
    releases: RUN_OPTIONS.releases,
    root: RUN_OPTIONS.root,
    client: { type: 'string', value: 'ID', description: 'also write who asks: a client of vault.yaml' },
    key: {
      type: 'string',
      value: 'PEM',
      description: "the client's Ed25519 private key; its path alone is written",
    },
    output: { type: 'string', value: 'FOLDER', description: 'write them there (default: profiles)' },
  },
  examples: [
    'holdfast vault profiles',
    'holdfast vault profiles --client wallet-backend --key keys/wallet-backend.pem --output profiles',
  ],
  run: writeProfiles,
};

async function writeProfiles(input: CommandInput): Promise<Outcome> {
  const vault = await readSoundVaultFile(input);
  const who = readClient(input);
  const folder = resolve(input.io.folder ?? process.cwd(), input.text('output') ?? 'profiles');
  const rootPath = input.text('root');
  await readRootFile(rootPath, input.io);
  const keys = new Map(describeRoles(vault.document).map((one) => [one.role, one.statementKey]));
  const files = openExchangeFolder(exchangeFolder(input, vault));
  const exchange = new Exchange(files, forgetfulMemory(), { vault: vault.digest, keys });
  if (who !== undefined) await assertClient(who.id, vault, exchange);
  const { nodes, release } = await findPlaces(vault.document, exchange);
  const pcrJson = await readMeasurements(input, vault, release);
  await makePrivateFolder(folder);
  const written: string[] = [];
  const write = async (name: string, content: Uint8Array | string) => {
    await writeOutput(join(folder, name), content, { mode: 0o600 });
    written.push(join(folder, name));
  };
  await write('pcr.json', pcrJson);
  for (const { node, url, manifest } of nodes) {
    await write(`node-${node}.manifest.json`, manifest);
    const settings = {
      url,
      pcrs: 'pcr.json',
      manifest: `node-${node}.manifest.json`,
      ...(rootPath === undefined ? {} : { root: relative(folder, resolve(rootPath)) }),
      ...(who === undefined ? {} : { client: who.id, key: relative(folder, resolve(who.key)) }),
      nodes: nodes.filter((other) => other.node !== node).map((other) => `node-${other.node}.yaml`),
    };
    await write(`node-${node}.yaml`, renderProfile(settings));
  }
  return {
    ok: true,
    text: [
      ...written,
      `  release ${release.version}; next: --profile ${relative(process.cwd(), join(folder, 'node-1.yaml'))}`,
    ].join('\n'),
    data: { vault: vault.digest, release: release.version, files: written },
  };
}

/** Writes a profile as YAML: JSON texts are texts of YAML, too. */
function renderProfile(settings: Readonly<Record<string, string | readonly string[]>>): string {
  const lines = Object.entries(settings).filter(([, value]) => value.length > 0);
  return `${lines.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join('\n')}\n`;
}

/** @throws UsageError for one of the two alone */
function readClient({ text }: CommandInput) {
  const [client, key] = [text('client'), text('key')];
  if (client === undefined && key === undefined) return undefined;
  if (client === undefined || key === undefined) throw new UsageError('--client and --key go together');
  return { id: readIdentifier(client, '--client'), key };
}

/** Asserts that a client is one of vault.yaml, or of a configuration that was signed since. @throws UsageError */
async function assertClient(id: string, { document }: VaultFile, exchange: Exchange): Promise<void> {
  if (document.clients.some((known) => known.id === id)) return;
  for (const { clients } of await describeConfigurations(document, exchange))
    if (clients.includes(id)) return;
  throw new UsageError(`--client: neither vault.yaml nor a newer configuration has a client ${id}`);
}

/**
 * Reads the measurements of the release that the nodes run, as it was fetched and verified here: the admins' word for them
 * has to be the same.
 *
 * @throws StepError VAULT_RELEASE_DIFFERS, VAULT_RELEASE_KEY_UNKNOWN; ReleaseError RELEASE_…
 */
async function readMeasurements(
  input: CommandInput,
  vault: VaultFile,
  stated: { readonly version: string; readonly pcrJson: string },
): Promise<Uint8Array> {
  const { pcrJson } = await openRelease({ vault, releases: releasesFolder(input, vault) }, stated.version);
  if (createHash('sha384').update(pcrJson).digest('hex') === stated.pcrJson) return pcrJson;
  throw new StepError(
    'VAULT_RELEASE_DIFFERS',
    'the fetched release has other measurements than the admins vouch for',
    {
      release: stated.version,
    },
  );
}
