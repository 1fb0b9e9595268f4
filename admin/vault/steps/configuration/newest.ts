import {
  type Configuration,
  CONFIGURATION_FORMAT_2,
  type ConfigurationDocument2,
  openConfiguration,
} from '../../../../shared/documents/configuration.ts';
import { digestManifest, parseManifest } from '../../../../shared/documents/manifest.ts';
import type { Exchange, Statement } from '../../exchange/index.ts';
import { roleOfNode } from '../../index.ts';
import type { StepContext } from '../context.ts';
import { StepError } from '../errors.ts';
import { readManifestBytes } from '../support.ts';

/** Steps by which a node's admin states a configuration that the node is to run. */
const CONFIGURATION_STEPS = [
  'configuration',
  'peers-configuration',
  'final-configuration',
  'upgrade-configuration',
  'upgrade-rollback',
  'change-configuration',
] as const;
/** Name of such a step. */
export type ConfigurationStep = (typeof CONFIGURATION_STEPS)[number];

/** Configuration that a node's admin has stated: what the node allows, and the source of every later one. */
export interface StatedConfiguration {
  readonly step: ConfigurationStep;
  readonly version: number;
  /** SHA-384 of the signed bytes, hex. */
  readonly digest: string;
  readonly statement: Statement<ConfigurationStep>;
}

/**
 * Finds the newest configuration that a node's admin has stated; undefined before the first one.
 *
 * @param steps those that count; all when left out
 * @throws ExchangeError STATEMENT_…
 */
export async function findNewest(
  exchange: Pick<Exchange, 'statement'>,
  node: number,
  steps: readonly ConfigurationStep[] = CONFIGURATION_STEPS,
): Promise<StatedConfiguration | undefined> {
  let newest: StatedConfiguration | undefined;
  for (const step of steps) {
    const statement: Statement<ConfigurationStep> | undefined = await exchange.statement(
      roleOfNode(node),
      step,
    );
    if (statement === undefined || statement.facts.version <= (newest?.version ?? 0)) continue;
    const { version, configuration: digest } = statement.facts;
    newest = { step, version, digest, statement };
  }
  return newest;
}

/** Finds the newest configuration that has to run by now: that of an upgrade is deployed only in its course. */
export async function findNewestToRun(
  exchange: Pick<Exchange, 'statement'>,
  node: number,
): Promise<StatedConfiguration | undefined> {
  return await findNewest(
    exchange,
    node,
    CONFIGURATION_STEPS.filter((step) => step !== 'upgrade-configuration'),
  );
}

/** Steps after the first ceremony, whose configurations take the place of those that it has signed. */
const LATER_STEPS = ['upgrade-configuration', 'upgrade-rollback', 'change-configuration'] as const;

/**
 * Whether a step of the first ceremony has nothing to sign any more, as the node's admin has signed a later configuration: what is
 * derived from vault.yaml has the first rules, and would take the place of the newest ones.
 *
 * @param step whose statement has to be there still
 * @throws StepError VAULT_CEREMONY_OVER where it is not; ExchangeError STATEMENT_…
 */
export async function isOver(
  { exchange }: Pick<StepContext, 'exchange'>,
  node: number,
  step: ConfigurationStep,
): Promise<boolean> {
  const later = await findNewest(exchange, node, LATER_STEPS);
  if (later === undefined) return false;
  if ((await exchange.statement(roleOfNode(node), step)) !== undefined) return true;
  throw ceremonyOver(node, step, later);
}

/** Asserts that a step of the first ceremony may sign: no later configuration is there. @throws StepError VAULT_CEREMONY_OVER */
export async function assertNotOver(
  { exchange }: Pick<StepContext, 'exchange'>,
  node: number,
  step: ConfigurationStep,
): Promise<void> {
  const later = await findNewest(exchange, node, LATER_STEPS);
  if (later !== undefined) throw ceremonyOver(node, step, later);
}

function ceremonyOver(node: number, step: ConfigurationStep, later: StatedConfiguration): StepError {
  return new StepError(
    'VAULT_CEREMONY_OVER',
    'the first rules would be signed again, though the node has a later configuration',
    { node, step: `${roleOfNode(node)}/${step}`, later: later.step, version: later.version },
  );
}

/** Finds the newest configuration of a node that has one. @throws ExchangeError STATEMENT_… */
export async function needNewest(
  { exchange }: Pick<StepContext, 'exchange'>,
  node: number,
): Promise<StatedConfiguration> {
  const newest = await findNewest(exchange, node);
  if (newest === undefined) throw new TypeError('expected a node that has a configuration');
  return newest;
}

/** Newest configuration, opened as the node does. */
export interface NewestConfiguration extends StatedConfiguration {
  readonly configuration: ConfigurationDocument2;
  /** Signed envelope. */
  readonly envelope: Uint8Array;
}

/**
 * Reads the newest configuration that a node's admin has stated, and verifies that the node's authorities have signed it.
 *
 * @throws ExchangeError STATEMENT_…; ConfigurationError CONFIGURATION_…; StepError VAULT_CONFIGURATION_DIFFERS where the
 *   file is another one than the statement says
 */
export async function readNewest(context: StepContext, node: number): Promise<NewestConfiguration> {
  const newest = await needNewest(context, node);
  const envelope = await context.exchange.file(newest.statement, 'configuration.json');
  const manifest = await readManifestBytes(context, node);
  const { configuration, digest } = openConfiguration(envelope, {
    manifest: parseManifest(manifest),
    digest: digestManifest(manifest),
  });
  const actual = Buffer.from(digest).toString('hex');
  if (actual !== newest.digest || configuration.version !== newest.version || !isFormat2(configuration))
    throw new StepError(
      'VAULT_CONFIGURATION_DIFFERS',
      'the file is not the configuration that the statement is about',
      { node, stated: newest.version, actual: configuration.version, digest: newest.digest, found: actual },
    );
  return { ...newest, configuration, envelope };
}

function isFormat2(configuration: Configuration): configuration is ConfigurationDocument2 {
  return configuration.format === CONFIGURATION_FORMAT_2;
}
