import type { VaultDocument } from '../document.ts';
import { gatewayFolder } from '../derive/gateways.ts';
import { vaultPrefix } from '../names.ts';
import { nodeOfRole, type Role } from '../roles.ts';

interface Target {
  readonly name: string;
  /** What it does, for `make help`. */
  readonly help: string;
  /** One line of shell. */
  readonly line: string;
}

/** Calls a verb of the vault with the keys that "vault join" has made. */
function callAs({ nodes }: VaultDocument, role: Role, verb = 'apply'): string {
  const number = nodeOfRole(role);
  const hasAuthority = nodes.some(
    ({ node, configurationAuthority }) => node === number && configurationAuthority.keys.length > 0,
  );
  return [
    `$(HOLDFAST) vault ${verb} --vault $(VAULT) --role ${role} --statement-key $(KEYS)/${role}.statement.pem`,
    ...(hasAuthority ? [`--authority-key $(KEYS)/${role}.authority.pem`] : []),
  ].join(' ');
}

/** Lists the targets: each is one call of the command. */
export function listTargets(document: VaultDocument): readonly Target[] {
  const { nodes } = document;
  const apply = (role: Role, stage: 1 | 2) => `${callAs(document, role)} --stage ${stage}`;
  const numbers = nodes.map(({ node }) => node);
  return [
    {
      name: 'check',
      help: 'what does not fit together in vault.yaml',
      line: '$(HOLDFAST) vault check --vault $(VAULT)',
    },
    {
      name: 'run-sheets',
      help: 'sheets of every role, stacks with their parameters, this Makefile',
      line: '$(HOLDFAST) vault sheets --vault $(VAULT) --output $(SHEETS)',
    },
    {
      name: 'fetch-artifacts',
      help: 'the release, verified',
      line: '$(HOLDFAST) vault fetch --vault $(VAULT) --out $(RELEASES)',
    },
    {
      name: 'deploy-baseline',
      help: 'stage 1 of infrastructure: roles, bucket, network',
      line: apply('infrastructure', 1),
    },
    ...numbers.flatMap<Target>((node) => [
      {
        name: `deploy-policy-node${node}-long-lived`,
        help: `stage 1 of node ${node}: its KMS key, bucket, manifest and first configuration`,
        line: apply(`node-${node}`, 1),
      },
      {
        name: `populate-secrets-policy-node${node}`,
        help: `secrets of node ${node}: made once, never again`,
        line: `$(HOLDFAST) vault populate --vault $(VAULT) --partition node-${node}`,
      },
      {
        name: `gate-policy-node${node}`,
        help: `stage 2 of node ${node}: let its attested image in, and close the door behind it`,
        line: apply(`node-${node}`, 2),
      },
    ]),
    {
      name: 'populate-secrets-wallet',
      help: 'secrets of the wallet: made once, never again',
      line: '$(HOLDFAST) vault populate --vault $(VAULT) --partition wallet',
    },
    { name: 'deploy-nitro-nodes', help: 'stage 2: hosts and enclaves', line: apply('infrastructure', 2) },
    ...document.parts.gateways.map((gateway) => ({
      name: `run-gateway-${gateway.id}`,
      help: `the door ${gateway.id}, on the machine of its client`,
      line: `$(HOLDFAST) gateway ${gateway.protocol} --config $(SHEETS)/${gatewayFolder(gateway)}/gateway.yaml`,
    })),
    ...listRulesTargets(document),
    ...listUpgradeTargets(document),
    ...listRecoveryTargets(numbers),
    {
      name: 'status',
      help: 'what is done, by whom, and who waits for whom',
      line: '$(HOLDFAST) vault status --vault $(VAULT)',
    },
    ...listRefused().map(({ name, why }) => ({
      name,
      help: 'refused',
      line: `@echo "${name}: ${why}" >&2; exit 1`,
    })),
  ];
}

/** Lists the targets of other rules: a copy of the newest description, in which clients, people, keys or rules are changed. */
function listRulesTargets(document: VaultDocument): readonly Target[] {
  return [
    {
      name: 'check-rules',
      help: 'what does not fit together in rules.yaml',
      line: '$(HOLDFAST) vault check --vault $(RULES)',
    },
    ...document.nodes.map(({ node }) => ({
      name: `configure-policy-node${node}`,
      help: `sign for node ${node} what rules.yaml says`,
      line: `${callAs(document, `node-${node}`, 'configure apply')} --rules $(RULES)`,
    })),
    {
      name: 'configure-nodes',
      help: 'one node after the other starts with what its admin has signed',
      line: callAs(document, 'infrastructure', 'configure apply'),
    },
  ];
}

/** Lists the targets of an upgrade: to which release, until when and as which client, is given to make. */
function listUpgradeTargets(document: VaultDocument): readonly Target[] {
  const asClient =
    '--client $(call need,CLIENT) --key $(call need,CLIENT_KEY) --sign-key $(call need,SIGN_KEY)';
  const forward = '--to $(call need,VERSION)';
  const infrastructure = (verb: string) => callAs(document, 'infrastructure', `upgrade ${verb}`);
  return [
    {
      name: 'fetch-upgrade',
      help: 'the release VERSION, verified',
      line: '$(HOLDFAST) vault fetch $(call need,VERSION) --vault $(VAULT) --out $(RELEASES)',
    },
    {
      name: 'upgrade-nodes',
      help: 'bring the release VERSION to one node after the other',
      line: `${infrastructure('apply')} ${forward} ${asClient}`,
    },
    {
      name: 'resume-upgrade',
      help: 'go on after a stop whose cause is mended',
      line: `${infrastructure('resume')} ${asClient}`,
    },
    {
      name: 'roll-back-nodes',
      help: 'put the old image back, within its day',
      line: `${infrastructure('rollback')} ${asClient}`,
    },
    ...document.nodes.flatMap<Target>(({ node }) => [
      {
        name: `upgrade-policy-node${node}`,
        help: `let the image of VERSION in on node ${node} beside the old one until UNTIL, then alone`,
        line: `${callAs(document, `node-${node}`, 'upgrade apply')} ${forward} $(if $(UNTIL),--until $(UNTIL))`,
      },
      {
        name: `roll-back-policy-node${node}`,
        help: `take the new image out again on node ${node}, after a roll back`,
        line: callAs(document, `node-${node}`, 'upgrade rollback'),
      },
    ]),
    {
      name: 'upgrade-status',
      help: 'how far an upgrade is, and until when the old image is admitted',
      line: '$(HOLDFAST) vault upgrade status --vault $(VAULT)',
    },
  ];
}

/** Lists the targets of backups and drills, which ask the nodes by the profiles of "vault profiles". */
function listRecoveryTargets(nodes: readonly number[]): readonly Target[] {
  const manifestOf = (node: number) => `--manifest $(PROFILES)/node-${node}.manifest.json`;
  const asClient = (node: number) => `--profile $(PROFILES)/node-${node}.yaml`;
  return [
    {
      name: 'profiles',
      help: 'where the nodes are and what they must prove, for a client of vault.yaml',
      line: '$(HOLDFAST) vault profiles --vault $(VAULT) --client $(call need,CLIENT) --key $(call need,CLIENT_KEY) --output $(PROFILES)',
    },
    ...nodes.flatMap<Target>((node) => [
      {
        name: `backup-policy-node${node}`,
        help: `backups of all keys of node ${node}, each with its proof, verified`,
        line: `$(HOLDFAST) ers backup --output $(BACKUPS) ${asClient(node)}`,
      },
      {
        name: `backup-status-policy-node${node}`,
        help: `keys of node ${node} that no kept backup covers`,
        line: `$(HOLDFAST) ers status ${asClient(node)}`,
      },
    ]),
    {
      name: 'verify-backups',
      help: 'proofs of all backups, and which keys they recover; needs no secret',
      line: `$(HOLDFAST) ers verify $(addprefix --backup ,$(wildcard $(BACKUPS)/*.json)) --pcrs $(PROFILES)/pcr.json ${nodes.map(manifestOf).join(' ')}`,
    },
    {
      name: 'drill-due',
      help: 'fails where the last drill of a recovery is too long ago',
      line: `$(HOLDFAST) ers drill --due $(DRILL_DAYS) ${nodes.map(manifestOf).join(' ')} --leader $(call need,LEADER) $(addprefix --record ,$(wildcard $(DRILLS)/*.json))`,
    },
  ];
}

/** Targets of one node, whose names other tools number from 0. */
const NUMBERED = [
  'deploy-policy-node#-long-lived',
  'populate-secrets-policy-node#',
  'gate-policy-node#',
] as const;
const KEPT = 'no tool deletes what stage 1 has made: it holds keys and logs';

/** Lists targets of other tools that would destroy something, name another node here, or do nothing: each says so, and fails. */
function listRefused(): readonly { readonly name: string; readonly why: string }[] {
  return [
    ...NUMBERED.map((name) => ({
      name: name.replace('#', '0'),
      why: `nodes are numbered from 1 here; the target of the first is ${name.replace('#', '1')}`,
    })),
    { name: 'deploy-gateways', why: 'a door runs beside its client: run-gateway-ID there' },
    { name: 'destroy-baseline', why: KEPT },
    { name: 'destroy-policy-nodes', why: KEPT },
  ];
}

/** Writes the Makefile: targets that call the command, one line each, and nothing else. */
export function renderMakefile(document: VaultDocument): string {
  const targets = listTargets(document);
  return `# Targets of the vault ${vaultPrefix(document)}; "holdfast vault sheets" writes this file. Each target is one call of the command,
# which asks before it changes anything, goes on where it was cut off, and changes nothing a second time. It is called from any
# folder: the folder of the vault is the one above this file. Paths that you give to make are those of where you are. make knows no
# names with blanks: where the folder of the vault has one, call it there, with VAULT_ROOT=. on its command line.
VAULT_ROOT := $(realpath $(dir $(lastword $(MAKEFILE_LIST)))..)
HOLDFAST ?= holdfast
VAULT ?= $(VAULT_ROOT)/vault.yaml
RULES ?= $(VAULT_ROOT)/rules.yaml
SHEETS ?= $(VAULT_ROOT)/sheets
KEYS ?= $(VAULT_ROOT)/keys
RELEASES ?= $(VAULT_ROOT)/releases
PROFILES ?= $(VAULT_ROOT)/profiles
BACKUPS ?= $(VAULT_ROOT)/backups
DRILLS ?= $(VAULT_ROOT)/drills
DRILL_DAYS ?= 90
need = $(or $($(1)),$(error give $(1)=...))

.PHONY: help ${targets.map(({ name }) => name).join(' ')}

help:
\t@grep -E '^[a-z0-9._-]+: ##' $(firstword $(MAKEFILE_LIST)) | sed 's/: ## /\t/' | expand -t 40
${targets.map(({ name, help, line }) => `\n${name}: ## ${help}\n\t${line}`).join('\n')}
`;
}
