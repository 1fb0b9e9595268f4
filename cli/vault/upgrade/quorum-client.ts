import { setTimeout as sleep } from 'node:timers/promises';
import { StepError } from '../../../admin/vault/steps/index.ts';
import type { UpgradeClient, UpgradeNode } from '../../../admin/vault/steps/upgrade/index.ts';
import { connectNode, type NodeClient } from '../../../client/index.ts';
import type { QuorumKey } from '../../../shared/api/quorum.ts';
import { errorCode } from '../../../shared/errors.ts';
import { UsageError, type CommandInput } from '../../common/command.ts';
import { readSigningKey } from '../../common/private-key.ts';
import { readIdentifier } from '../../node/connection.ts';
import { chooseAlgorithm } from '../../node/payload.ts';
import type { RunContext } from '../run-context.ts';

const TIMEOUT_MS = 10_000;
const PAUSE_MS = 500;
/** Time in which a node that has just started finds its peers. */
const MAX_SETTLING_MS = 30_000;
/** Time in which the quorum has to sign: longer than the window of a rule that counts by the minute. */
const MAX_SIGNING_MS = 90_000;
/** Codes of what passes by itself: of nodes that are just connecting, and of rules that count by time. */
const PASSING: readonly string[] = [
  'ANSWER_LOST',
  'ANSWER_TIMEOUT',
  'NODE_UNREACHABLE',
  'OVERLOADED',
  'PEERS_NOT_CONNECTED',
  'QUORUM_BELOW_THRESHOLD',
  'QUORUM_OVERLOADED',
  'QUORUM_UNREACHABLE',
  'RATE_LIMITED',
];

/**
 * Reads as which client of the vault infrastructure's admin sees the nodes and has the quorum sign.
 *
 * @param sentenceOf what the quorum signs as proof that it signs with a node
 * @returns undefined where none of the options is given
 * @throws UsageError where one is missing; CliError KEY_FILE_…
 */
export async function readUpgradeClient(
  input: CommandInput,
  { context }: Pick<RunContext, 'context'>,
  sentenceOf: (node: number) => string,
): Promise<UpgradeClient | undefined> {
  const names = ['client', 'key', 'sign-key'] as const;
  const missing = names.filter((name) => input.text(name) === undefined);
  if (missing.length === names.length) return undefined;
  if (missing.length > 0) throw new UsageError('--client, --key and --sign-key go together');
  const clientId = readIdentifier(input.text('client'), '--client');
  const key = readIdentifier(input.text('sign-key'), '--sign-key');
  const { privateKey } = await readSigningKey(input.text('key') ?? '');
  const { vault, root, signal } = context;

  const withNode = async <T>(
    { url, manifest, images }: UpgradeNode,
    act: (node: NodeClient) => Promise<T>,
  ): Promise<T> => {
    const trust = { root, pcrs: [images.new, images.old], manifest };
    const client = await connectNode({ url, trust, clientId, privateKey, timeoutMs: TIMEOUT_MS });
    try {
      return await act(client);
    } finally {
      client.close();
    }
  };

  const lookOnce = async (node: UpgradeNode): Promise<string | null> => {
    const { peers, keys } = await withNode(node, async (client) => await client.quorum.status());
    const shared = findSharedKey(keys, key);
    if (shared.share === null) return 'SHARE_SUPERSEDED';
    const connected = peers.filter(({ state }) => state === 'connected').length;
    return connected >= vault.threshold - 1 ? null : 'PEERS_NOT_CONNECTED';
  };

  const signOnce = async (node: UpgradeNode): Promise<string | null> =>
    await withNode(node, async (client) => {
      const { type } = findSharedKey((await client.quorum.status()).keys, key);
      const algorithm = chooseAlgorithm(type, 'message');
      if (algorithm === undefined)
        throw new StepError('VAULT_UPGRADE_SIGN_KEY', 'the key signs no messages', { key, type });
      const message = Buffer.from(sentenceOf(node.node)).toString('hex');
      await client.sign({ key, algorithm, payload: { kind: 'message', message } });
      return null;
    });

  return {
    look: async (node) => await untilSettled(() => lookOnce(node), MAX_SETTLING_MS, signal),
    sign: async (node) => await untilSettled(() => signOnce(node), MAX_SIGNING_MS, signal),
  };
}

/** Repeats what may pass by itself. @returns null, or the last code */
async function untilSettled(
  ask: () => Promise<string | null>,
  milliseconds: number,
  signal: AbortSignal,
): Promise<string | null> {
  const deadline = performance.now() + milliseconds;
  for (;;) {
    const code = await ask().catch((error: unknown) => {
      if (error instanceof StepError) throw error;
      return errorCode(error);
    });
    if (code === null || !PASSING.includes(code) || performance.now() > deadline) return code;
    await sleep(PAUSE_MS, undefined, { signal });
  }
}

function findSharedKey(keys: readonly QuorumKey[], id: string): QuorumKey {
  const found = keys.find((key) => key.id === id);
  if (found !== undefined && found.publicKey !== null) return found;
  throw new StepError('VAULT_UPGRADE_SIGN_KEY', 'the nodes share no such key', {
    key: id,
    keys: keys.filter(({ publicKey }) => publicKey !== null).map((key) => key.id),
  });
}
