import { lintConfiguration } from '../../../../policy/analysis/index.ts';
import { type Configuration, parseConfiguration } from '../../../../shared/documents/configuration.ts';
import { ConfigurationError } from '../../../../shared/documents/errors.ts';
import { digestManifest, parseManifest } from '../../../../shared/documents/manifest.ts';
import {
  assertNamesManifest,
  encodeEnvelope,
  parseConfigurationFile,
  verifyConfiguration,
} from '../../../configurations/index.ts';
import { encodeConfiguration } from '../../derive/configuration.ts';
import { type Told } from '../../exchange/index.ts';
import { roleOfNode } from '../../index.ts';
import type { StepContext } from '../context.ts';
import { StepError } from '../errors.ts';
import { hasFunction } from '../node-configuration.ts';
import { planConfiguration, signPlanned, type SigningOrder } from '../sign-configuration.ts';
import type { Step } from '../step.ts';
import { readManifestBytes } from '../support.ts';
import { numberChange, type Proposal, readChanges } from './change.ts';
import { describeDifference, findLostKeys, saySame, withRules } from './derive.ts';
import { assertInForce, assertNothingUnstated, findReleases, seeNode } from './in-force.ts';
import { type NewestConfiguration, readNewest } from './newest.ts';
import { assertSameVault } from './rules-file.ts';

const STEP = 'change-configuration';

/** What a node's admin has given a run. */
export interface NodeChange {
  /** Undefined: nothing is to be changed. */
  readonly proposal: Proposal | undefined;
  /** Ids of keys that the configuration may leave out, or drop. */
  readonly withoutKeys: readonly string[];
}

/** What a proposal comes to, once it was held against everything that is known. */
type Prepared =
  | { readonly kind: 'done' }
  /** Nothing is to be signed: the node has it, or it was signed elsewhere. */
  | { readonly kind: 'told'; readonly told: Told<typeof STEP>; readonly changes: readonly string[] }
  | {
      readonly kind: 'order';
      readonly order: SigningOrder;
      readonly facts: Pick<Told<typeof STEP>['facts'], 'change' | 'rules'>;
      readonly files: Told<typeof STEP>['files'];
      readonly notes: readonly string[];
    };

/** Step that signs a configuration with other people, keys or rules than the newest one, or states one that was signed. */
export function nodeChangeConfiguration(
  vault: StepContext['vault'],
  change: NodeChange,
  node: number,
): Step<typeof STEP> {
  const role = roleOfNode(node);
  return {
    id: `${role}/${STEP}`,
    role,
    name: STEP,
    stage: 2,
    summary: 'sign a configuration with other people, keys or rules, and tell the others',
    needs: ['infrastructure/restart', `${role}/final-configuration`],
    isShownFirst: hasFunction(vault, node),
    async inspect(context) {
      const prepared = await prepare(context, change, node);
      if (prepared.kind === 'done') return { state: 'done' };
      if (prepared.kind === 'told') return { state: 'ready', changes: prepared.changes };
      const { version, changes } = await planConfiguration(context, prepared.order);
      return {
        state: 'ready',
        changes: [`signs configuration ${version} of node ${node}`, ...changes, ...prepared.notes],
      };
    },
    async apply(context) {
      const prepared = await prepare(context, change, node);
      if (prepared.kind === 'done') throw new TypeError('expected something to do');
      if (prepared.kind === 'told') return prepared.told;
      const { version, digest, envelope } = await signPlanned(context, prepared.order);
      return {
        facts: { ...prepared.facts, configuration: digest, version },
        files: [{ name: 'configuration.json', bytes: envelope }, ...prepared.files],
      };
    },
  };
}

/**
 * @throws StepError VAULT_CHANGE_…, VAULT_CONFIGURATION_…, VAULT_KEYS_LOST, VAULT_RULES_OTHER_VAULT; ConfigurationError
 */
async function prepare(
  context: StepContext,
  { proposal, withoutKeys }: NodeChange,
  node: number,
): Promise<Prepared> {
  if (proposal === undefined) return { kind: 'done' };
  const newest = await readNewest(context, node);
  const prepared =
    proposal.kind === 'rules'
      ? await prepareRules(context, proposal, newest, node)
      : await prepareConfiguration(context, proposal.bytes, newest, node);
  if (prepared.kind === 'told' && proposal.kind === 'configuration') {
    const { configuration: next } = parseConfigurationFile(proposal.bytes);
    const lost = assertKeysKept(newest.configuration, next, withoutKeys);
    return { ...prepared, changes: [...prepared.changes, ...lost] };
  }
  if (prepared.kind !== 'order') return prepared;
  const next = parseConfiguration(await prepared.order.derive(prepared.order.version));
  const lost = assertKeysKept(newest.configuration, next, withoutKeys);
  return { ...prepared, notes: [...prepared.notes, ...lost, ...lint(context, next)] };
}

/** Derives a configuration from the newest one and a description. */
async function prepareRules(
  context: StepContext,
  proposal: Proposal & { readonly kind: 'rules' },
  { configuration, envelope, version, digest }: NewestConfiguration,
  node: number,
): Promise<Prepared> {
  assertSameVault(context.vault, proposal.description);
  const ignored: string[] = [];
  const changes = await readChanges(context.vault, context.exchange, (one, { code }) => {
    if (one !== node)
      ignored.push(`does not count what the admin of node ${one} has stated of changes: ${code}`);
    return one === node;
  });
  const number = numberChange(changes, node, {
    ...proposal,
    threshold: context.vault.threshold,
    isWhole: ignored.length === 0,
  });
  const facts = { change: number, rules: proposal.digest };
  const files = [{ name: 'rules.yaml', bytes: proposal.bytes }];
  const derive = (above: number) => withRules(configuration, above, proposal.description);
  const own = changes.get(node)?.facts;
  if (saySame(configuration, derive(version))) {
    if (own?.change === number && own.rules === proposal.digest) return { kind: 'done' };
    const isJoined = [...changes.values()].some((one) => one?.facts.change === number);
    if (!isJoined)
      throw new StepError('VAULT_CHANGE_NONE', 'the node has these people, keys and rules already', {
        node,
        version,
      });
    return {
      kind: 'told',
      told: {
        facts: { ...facts, configuration: digest, version },
        files: [{ name: 'configuration.json', bytes: envelope }, ...files],
      },
      changes: [`tells the others that node ${node} has the rules of change ${number} already`, ...ignored],
    };
  }
  const seen = await seeNode(context, node, await findReleases(context));
  await assertNothingUnstated(context, seen);
  const unseen = seen.release === null ? await assertInForce(context, seen) : [];
  return {
    kind: 'order',
    order: {
      node,
      step: STEP,
      version: version + 1,
      derive: (above) => Promise.resolve(encodeConfiguration(derive(above))),
      against: configuration,
    },
    facts,
    files,
    notes: [
      `  change ${number} of the vault's rules, by the description ${proposal.digest}`,
      ...ignored,
      ...unseen,
    ],
  };
}

/** Takes a configuration as it is: signed by enough authorities already, or to be signed now. */
async function prepareConfiguration(
  context: StepContext,
  bytes: Uint8Array,
  newest: NewestConfiguration,
  node: number,
): Promise<Prepared> {
  const file = parseConfigurationFile(bytes);
  const manifestBytes = await readManifestBytes(context, node);
  const configured = { manifest: parseManifest(manifestBytes), digest: digestManifest(manifestBytes) };
  assertNamesManifest(file, configured);
  const { configuration, digest } = file;
  const { version } = configuration;
  if (digest === newest.digest) return { kind: 'done' };
  if (version <= newest.version)
    throw new StepError('VAULT_CONFIGURATION_OLD', 'the version is not above the newest one of the node', {
      node,
      newest: newest.version,
      actual: version,
    });
  const changes = await readChanges(context.vault, context.exchange, (one) => one === node);
  const facts = { change: changes.get(node)?.facts.change ?? 0, rules: null };
  if (isSigned(() => verifyConfiguration(file, configured)))
    return {
      kind: 'told',
      told: {
        facts: { ...facts, configuration: digest, version },
        files: [
          { name: 'configuration.json', bytes: new Uint8Array(Buffer.from(encodeEnvelope(file.envelope))) },
        ],
      },
      changes: [
        `tells the others that node ${node} is to run configuration ${version}, which its authorities have signed`,
        `  SHA-384 ${digest}`,
        ...describeDifference(newest.configuration, configuration),
      ],
    };
  const payload = new Uint8Array(Buffer.from(file.envelope.payload, 'base64'));
  return {
    kind: 'order',
    order: {
      node,
      step: STEP,
      version,
      // The file's own bytes are signed. Of another version, which the function asks for, there are none.
      derive: (above) =>
        above === version
          ? Promise.resolve(payload)
          : Promise.reject(
              new StepError(
                'VAULT_CONFIGURATION_OLD',
                'the function has signed this version, or a later one',
                {
                  node,
                  newest: above - 1,
                  actual: version,
                },
              ),
            ),
      against: newest.configuration,
    },
    facts,
    files: [],
    notes: [],
  };
}

function isSigned(verify: () => unknown): boolean {
  try {
    verify();
    return true;
  } catch (error) {
    if (error instanceof ConfigurationError && error.code === 'CONFIGURATION_UNDER_SIGNED') return false;
    throw error;
  }
}

/** @throws StepError VAULT_KEYS_LOST for a key that nobody has named */
function assertKeysKept(
  before: Configuration,
  after: Configuration,
  named: readonly string[],
): readonly string[] {
  const lost = findLostKeys(before, after);
  const unnamed = lost.filter((id) => !named.includes(id));
  if (unnamed.length > 0)
    throw new StepError(
      'VAULT_KEYS_LOST',
      'the configuration leaves out, changes or drops keys that the node holds',
      { keys: unnamed },
    );
  return lost.map((id) => `  KEY ${id} CAN NO LONGER BE USED: have it backed up before`);
}

/** @throws StepError VAULT_CONFIGURATION_LINTED */
function lint({ clock, vault }: StepContext, configuration: Configuration): readonly string[] {
  const quorum = { size: vault.nodes.length, threshold: vault.threshold };
  const findings = lintConfiguration(configuration, clock(), quorum);
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (errors.length > 0)
    throw new StepError('VAULT_CONFIGURATION_LINTED', 'the configuration does not do what it says', {
      findings: errors.map(({ code, subject, text }) => `${code} (${subject ?? ''}): ${text}`),
    });
  return findings
    .filter(({ severity }) => severity === 'warning')
    .map(({ code, subject, text }) => `  warning ${code}${subject === null ? '' : ` (${subject})`}: ${text}`);
}
