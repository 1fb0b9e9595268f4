import { connectQuorum, type NodeClientOptions, type QuorumClient } from '../../client/index.ts';
import { errorCode, HoldfastError } from '../../shared/errors.ts';
import { type CommandInput, type OptionSpec, UsageError } from '../common/command.ts';
import { printable } from '../common/printable.ts';
import { readSigningKey } from '../common/private-key.ts';
import { readProfileFile } from '../common/profile-file.ts';
import type { SettingName } from '../common/settings.ts';
import { describeSystemError } from '../common/system-error.ts';
import { CLIENT_OPTIONS, readIdentifier, readNodeOptions } from '../node/connection.ts';

/** Options for who asks, which node is asked first, and which ones where that does not serve. */
export const QUORUM_OPTIONS = {
  ...CLIENT_OPTIONS,
  node: {
    type: 'string',
    value: 'FILE',
    multiple: true,
    setting: 'nodes',
    description: 'holdfast.yaml of another node, which is asked where this one does not serve',
  },
} as const satisfies Record<string, OptionSpec>;

/**
 * Connects to the quorum by the node that the options name, or by another one, runs `act`, and closes the connections.
 *
 * @throws UsageError, AttestationError, ClientError, NodeRefusal, ManifestError, CliError
 */
export async function withQuorum<T>(
  input: CommandInput,
  act: (quorum: QuorumClient) => Promise<T>,
): Promise<T> {
  const clientId = readIdentifier(input.text('client'), '--client');
  const { privateKey } = await readSigningKey(input.text('key') ?? '');
  const nodes: NodeClientOptions[] = [{ ...(await readNodeOptions(input)), clientId, privateKey }];
  for (const path of input.texts('node'))
    nodes.push({ ...(await readNodeProfile(path, input)), clientId, privateKey });
  const quorum = await connectQuorum({
    nodes,
    onPassedOver: (url, error) => {
      if (!input.json) input.io.stderr.write(`${printable(url)} is passed over: ${errorCode(error)}\n`);
    },
  });
  try {
    return await act(quorum);
  } finally {
    quorum.close();
  }
}

const NODE_SETTINGS = ['url', 'pcrs', 'manifest'] as const satisfies readonly SettingName[];

/**
 * Reads where a node is, and what it must prove to be, from its profile.
 *
 * @throws UsageError, CliError PROFILE_EXPOSED, PROFILE_MALFORMED, and what `readNodeOptions` throws
 */
export async function readNodeProfile(path: string, input: CommandInput) {
  const profile = await readProfileFile(path, true).catch((error: unknown) => {
    if (error instanceof HoldfastError) throw error;
    throw new UsageError(`cannot read the profile ${path}: ${describeSystemError(error)}`);
  });
  if (profile === undefined) throw new UsageError(`cannot read the profile ${path}: there is no such file`);
  const missing = NODE_SETTINGS.find((name) => profile.values.get(name) === undefined);
  if (missing !== undefined) throw new UsageError(`the profile ${path} names no ${missing}`);
  return await readNodeOptions({
    ...input,
    // The root is trust of the caller's: that of the first node holds where the profile names none.
    text: (option) =>
      profile.values.get(option as SettingName)?.[0] ?? (option === 'root' ? input.text('root') : undefined),
  });
}
