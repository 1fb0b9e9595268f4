import { X509Certificate } from 'node:crypto';
import { AWS_NITRO_ROOT_G1, MANIFEST_PCR, computeManifestPcr } from '../../attestation/index.ts';
import { connectNode, type NodeClient, type NodeTrust, parseNodeUrl } from '../../client/index.ts';
import { parseManifest } from '../../shared/documents/manifest.ts';
import { type CommandInput, type Io, type OptionSpec, readInput, UsageError } from '../common/command.ts';
import { CliError } from '../common/errors.ts';
import { inFile } from '../common/in-file.ts';
import { readSigningKey } from '../common/private-key.ts';
import { readPcrFile } from '../common/trust-files.ts';

const MAX_ROOT_BYTES = 16 * 1024;
const IDENTIFIER = /^[a-z0-9][a-z0-9._-]{0,62}$/;

/** Options for where a node is, and what it must prove to be. */
export const NODE_OPTIONS = {
  url: {
    type: 'string',
    value: 'URL',
    required: true,
    setting: 'url',
    description: 'where it is reached: https://host:port',
  },
  pcrs: {
    type: 'string',
    value: 'FILE',
    required: true,
    setting: 'pcrs',
    description: 'pcr.json of the image it must run',
  },
  manifest: {
    type: 'string',
    value: 'FILE',
    required: true,
    setting: 'manifest',
    description: 'the manifest that it must have been given',
  },
  root: {
    type: 'string',
    value: 'PEM',
    setting: 'root',
    description: "the root of its attestation documents (default: AWS's)",
  },
} as const satisfies Record<string, OptionSpec>;

/** Options for who asks: the client's id and its private key. */
export const CLIENT_OPTIONS = {
  ...NODE_OPTIONS,
  client: {
    type: 'string',
    value: 'ID',
    required: true,
    setting: 'client',
    description: "your id in the node's configuration",
  },
  key: {
    type: 'string',
    value: 'PEM',
    required: true,
    setting: 'key',
    description: 'your Ed25519 private key (PKCS #8)',
  },
} as const satisfies Record<string, OptionSpec>;

/** Reads an identifier. @throws UsageError for text that no configuration takes as an id */
export function readIdentifier(text: string | undefined, name: string): string {
  if (text === undefined || !IDENTIFIER.test(text))
    throw new UsageError(`${name} is no id that a configuration can have`);
  return text;
}

/**
 * Reads the options of a node. @throws UsageError; AttestationError PCR_FILE_…; ManifestError; CliError
 * MANIFEST_PCR_MISMATCH, ROOT_MALFORMED
 */
export async function readNodeOptions({
  text,
  io,
}: CommandInput): Promise<{ url: string; trust: NodeTrust }> {
  const url = readUrl(text('url') ?? '');
  const pcrs = await readPcrFile(text('pcrs') ?? '', io);
  const manifestPath = text('manifest') ?? '';
  const manifest = await readInput(manifestPath, io);
  inFile(manifestPath, () => parseManifest(manifest));
  const measured = computeManifestPcr(manifest);
  const named = pcrs.get(MANIFEST_PCR);
  if (named !== undefined && !Buffer.from(named).equals(measured)) {
    throw new CliError('MANIFEST_PCR_MISMATCH', 'pcr.json names the PCR16 of another manifest', {
      expected: named,
      actual: measured,
    });
  }
  const rootPath = text('root');
  const root = rootPath === undefined ? AWS_NITRO_ROOT_G1 : await readRoot(rootPath, io);
  return { url, trust: { root, pcrs, manifest } };
}

/**
 * Connects to the node that the options name, once it has proved to be that node, runs `act`, and closes the
 * connection.
 *
 * @throws UsageError, AttestationError, ClientError, NodeRefusal, ManifestError, CliError
 */
export async function withNode<T>(input: CommandInput, act: (node: NodeClient) => Promise<T>): Promise<T> {
  const clientId = readIdentifier(input.text('client'), '--client');
  const options = await readNodeOptions(input);
  const { privateKey } = await readSigningKey(input.text('key') ?? '');
  const node = await connectNode({ ...options, clientId, privateKey });
  try {
    return await act(node);
  } finally {
    node.close();
  }
}

function readUrl(url: string): string {
  try {
    parseNodeUrl(url);
  } catch {
    throw new UsageError('--url is https://host:port');
  }
  return url;
}

async function readRoot(path: string, io: Io): Promise<Uint8Array> {
  const bytes = await readInput(path, io, MAX_ROOT_BYTES);
  try {
    return new Uint8Array(new X509Certificate(bytes).raw);
  } catch (cause) {
    throw new CliError('ROOT_MALFORMED', 'expected a certificate', { path }, cause);
  }
}
