import * as z from 'zod';
import { vaultPrefix } from '../../../admin/vault/index.ts';
import { StepError } from '../../../admin/vault/steps/index.ts';
import type { Upgrade, UpgradeName } from '../../../admin/vault/steps/upgrade/index.ts';
import type { RollOutEvent } from '../../../admin/upgrade/index.ts';
import type { CommandInput } from '../../common/command.ts';
import type { RunContext } from '../run-context.ts';
import type { RunPlace } from '../run-options.ts';
import { readCanary, readUntil } from './options.ts';
import { readUpgradeClient } from './quorum-client.ts';

const CANARY = 'upgrade-canary';
const canarySchema = z.strictObject({ attempt: z.int().min(1), node: z.int().min(1) });

/** Upgrade of one run, and what is kept once somebody has agreed to it. */
export interface OpenedUpgrade {
  readonly upgrade: Upgrade;
  /** Remembers on this machine which node goes first. */
  readonly remember: () => Promise<void>;
}

/**
 * Opens an upgrade for the run of one role: both releases, the day, the canary and the client.
 *
 * @throws UsageError; StepError VAULT_UPGRADE_CANARY_DIFFERS; CliError KEY_FILE_…; ReleaseError RELEASE_…
 */
export async function openUpgrade(
  input: CommandInput,
  place: RunPlace,
  run: Pick<RunContext, 'context' | 'finishProgress'>,
  name: UpgradeName,
): Promise<OpenedUpgrade> {
  const { context } = run;
  const canary = chooseCanary(input, run, name);
  const report = (event: RollOutEvent) => {
    run.finishProgress();
    input.io.stderr.write(`${describeEvent(event, name)}\n`);
  };
  const upgrade: Upgrade = {
    ...name,
    release: (version) => context.release(version),
    until: readUntil(input),
    isRebuilt: input.flag('rebuilt') || (await context.isRebuilt(name.to)),
    canary,
    client: await readUpgradeClient(
      input,
      run,
      (node) =>
        `Holdfast: ${vaultPrefix(context.vault)} goes from ${name.from} to ${name.to}, node ${node} signs.`,
    ),
    report,
  };
  const remember = async () => {
    if (place.role !== 'infrastructure') return;
    await context.journal.set(CANARY, { attempt: name.attempt, node: canary });
  };
  return { upgrade, remember };
}

/** Node that goes first: as this machine remembers, as was given, or the first one. */
function chooseCanary(
  input: CommandInput,
  { context: { vault, journal } }: Pick<RunContext, 'context'>,
  { attempt }: UpgradeName,
): number {
  const given = readCanary(input, vault);
  const { data: known } = canarySchema.safeParse(journal.get(CANARY));
  const expected = known?.attempt === attempt ? known.node : undefined;
  if (expected !== undefined && given !== undefined && given !== expected)
    throw new StepError('VAULT_UPGRADE_CANARY_DIFFERS', 'another node goes first in this upgrade', {
      expected,
      actual: given,
    });
  return expected ?? given ?? vault.nodes[0]?.node ?? 1;
}

function describeEvent(told: RollOutEvent, { from, to }: UpgradeName): string {
  const { event, node, image } = told;
  const release = `the image of release ${image === 'new' ? to : from}`;
  if (told.event === 'node-left') return `node ${node}: LEFT without ${release}: ${told.code}`;
  return event === 'node-begun'
    ? `node ${node}: ${release} is brought`
    : `node ${node}: done, with ${release}`;
}
