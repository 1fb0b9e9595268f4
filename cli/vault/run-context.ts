import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { assertStatementKey, Exchange } from '../../admin/vault/exchange/index.ts';
import { describeRoles } from '../../admin/vault/index.ts';
import { type StepContext, StepError } from '../../admin/vault/steps/index.ts';
import { attestNode } from '../../client/attest-node.ts';
import { formatWitnessKey } from '../../client/witness-key.ts';
import { readFunction, readStackPolicy, readTemplate } from '../../deploy/index.ts';
import type { CommandInput } from '../common/command.ts';
import { inFileLater } from '../common/in-file.ts';
import { makePrivateFolder } from '../common/private-folder.ts';
import { readSigningKey } from '../common/private-key.ts';
import { createProgress } from '../common/progress.ts';
import { readRootFile } from '../common/trust-files.ts';
import { openAwsClients } from './aws-clients.ts';
import { openExchangeFolder } from './exchange-folder.ts';
import { openRelease } from './open-release.ts';
import { isRebuilt } from './releases/rebuild.ts';
import type { RunPlace } from './run-options.ts';
import { openWorkFolder } from './work-folder.ts';
import { lockFolder } from './run-lock.ts';

/** Everything that a run has of the world, until it is disposed of. */
export interface RunContext extends Disposable {
  readonly context: StepContext;
  /** Clears the line of the progress bar. */
  readonly finishProgress: () => void;
}

/**
 * Opens what a role's steps need: keys, exchange, memory and clients of AWS, under the lock of the role on this machine.
 *
 * @throws UsageError; CliError KEY_FILE_…, VAULT_LOCKED, VAULT_JOURNAL_DAMAGED; ExchangeError STATEMENT_KEY_WRONG
 */
export async function openRunContext(input: CommandInput, place: RunPlace): Promise<RunContext> {
  const { io, text, texts } = input;
  const { vault, role, publicKey } = place;
  const { privateKey: statementKey } = await readSigningKey(place.statementKeyPath);
  await inFileLater(place.statementKeyPath, () => {
    assertStatementKey(statementKey, publicKey, role);
    return Promise.resolve();
  });
  const authorities = [];
  for (const path of texts('authority-key')) authorities.push((await readSigningKey(path)).privateKey);
  const root = await readRootFile(text('root'), io);
  await makePrivateFolder(place.work);
  const lock = lockFolder(place.work);
  try {
    const { journal, seen } = await openWorkFolder(place.work, vault.digest);
    const keys = new Map(describeRoles(vault.document).map((one) => [one.role, one.statementKey]));
    const exchange = new Exchange(openExchangeFolder(place.exchange), seen, { vault: vault.digest, keys });
    const aws = openAwsClients(input);
    let signingFunction: ReturnType<typeof readFunction> | undefined;
    let label = '';
    const bar = createProgress(io, () => label);
    const releases = new Map<string, ReturnType<typeof openRelease>>();
    const context: StepContext = {
      vault: vault.document,
      role,
      exchange,
      journal,
      aws,
      authorities,
      statementKey,
      root,
      release: (version = vault.document.release.version) => {
        const opened = releases.get(version) ?? openRelease(place, version);
        releases.set(version, opened);
        return opened;
      },
      isRebuilt: async (version) =>
        await isRebuilt(place.releases, version, (await context.release(version)).image.sha384),
      template: async (name) => ({
        text: await readTemplate(name, { nodes: vault.document.nodes.length }),
        policy: readStackPolicy(name),
      }),
      signingFunction: async () => await (signingFunction ??= readFunction('config-signing')),
      attest: async (url, expected) => {
        const { binding } = await attestNode({ url, trust: { root, ...expected } });
        const witness = binding.format === 'holdfast-node/2' ? formatWitnessKey(binding) : undefined;
        if (binding.format !== 'holdfast-node/2' || witness === undefined)
          throw new StepError('VAULT_NODE_UNEXPECTED', 'expected a node that attests the keys of its log', {
            url,
          });
        return {
          version: binding.configuration,
          log: binding.log.key,
          witness,
        };
      },
      clock: Date.now,
      random: (bytes) => new Uint8Array(randomBytes(bytes)),
      sleep: async (milliseconds) => await sleep(milliseconds, undefined, { signal: io.signal }),
      signal: io.signal,
      progress: (words, done, total) => {
        label = words;
        bar.update(done, total);
      },
    };
    return {
      context,
      finishProgress: bar.finish,
      [Symbol.dispose]() {
        bar.finish();
        aws[Symbol.dispose]();
        lock[Symbol.dispose]();
      },
    };
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}
