import { createHash } from 'node:crypto';
import { lintConfiguration } from '../../../policy/analysis/index.ts';
import { isShareType } from '../../../shared/algorithms.ts';
import {
  CONFIGURATION_FORMAT_2,
  readConfiguration,
  type Configuration,
} from '../../../shared/documents/configuration.ts';
import { ConfigurationError } from '../../../shared/documents/errors.ts';
import { ADMINISTRATION, deriveAdministrationRules, RESERVED_PREFIX } from '../derive/administration.ts';
import { deriveTenantMembers } from '../derive/configuration.ts';
import type { VaultDocument } from '../document.ts';
import type { OpenFinding } from './finding.ts';
import { checkLostKeys } from './lost-keys.ts';
import { isOpenValue } from './placeholders.ts';

/** Finds what is wrong with people, keys and rules of the first configuration, before any node has a manifest. */
export function checkTenant(document: VaultDocument, now: number): OpenFinding[] {
  return [
    ...checkOwners(document),
    ...checkReserved(document),
    ...checkTenantKeys(document),
    ...checkLostKeys(document),
    ...checkTenantRules(document),
    ...checkGateways(document),
    ...checkConfiguration(document, now),
  ];
}

function checkOwners({ clients, tenant: { owners, rules, clientGroups } }: VaultDocument): OpenFinding[] {
  const known = new Set(clients.map(({ id }) => id));
  const unknown = owners.clients.flatMap<OpenFinding>((id, index) =>
    known.has(id)
      ? []
      : [
          {
            code: 'OWNER_UNKNOWN',
            severity: 'error',
            path: ['tenant', 'owners', 'clients', index],
            text: `no client has the id ${id}, which should own keys`,
            advice: 'Name one of clients.',
          },
        ],
  );
  if (clients.every(({ id }) => owners.clients.includes(id))) {
    return [
      ...unknown,
      {
        code: 'OWNERS_EVERYBODY',
        severity: 'warning',
        path: ['tenant', 'owners', 'clients'],
        text: 'every client is an owner: a wallet backend that is taken over could hand the keys to other nodes',
        advice: 'Make a client for administration, whose key lies elsewhere than those of the wallet.',
      },
    ];
  }
  const groups = new Map(clientGroups.map((group) => [group.id, group.clients]));
  const signing = new Set(
    rules
      .filter(({ effect, operations }) => effect === 'permit' && operations.includes('sign'))
      .flatMap((rule) => rule.clients.flatMap((id) => groups.get(id) ?? [id])),
  );
  return [
    ...unknown,
    ...owners.clients.flatMap<OpenFinding>((id, index) =>
      signing.has(id)
        ? [
            {
              code: 'OWNER_SIGNS',
              severity: 'warning',
              path: ['tenant', 'owners', 'clients', index],
              text: `${id} administers keys, and signs with them, too`,
              advice: 'Have one client administer, and another sign.',
            },
          ]
        : [],
    ),
  ];
}

function checkReserved({ tenant }: VaultDocument): OpenFinding[] {
  const lists = {
    clientGroups: tenant.clientGroups,
    approverGroups: tenant.approverGroups,
    rules: tenant.rules,
  };
  return Object.entries(lists).flatMap(([list, entries]) =>
    entries.flatMap<OpenFinding>(({ id }, index) =>
      id.startsWith(RESERVED_PREFIX)
        ? [
            {
              code: 'TENANT_NAME_RESERVED',
              severity: 'error',
              path: ['tenant', list, index, 'id'],
              text: `${id} begins with ${RESERVED_PREFIX}, as what the vault itself adds does`,
              advice: 'Take another id.',
            },
          ]
        : [],
    ),
  );
}

function checkTenantKeys({ nodes, tenant: { keys } }: VaultDocument): OpenFinding[] {
  if (nodes.length === 1) return [];
  return keys.flatMap<OpenFinding>(({ id, type }, index) =>
    isShareType(type)
      ? []
      : [
          {
            code: 'KEY_PER_NODE',
            severity: 'warning',
            path: ['tenant', 'keys', index, 'type'],
            text: `${id} is no key of the quorum: each node makes a ${type} key of its own under this id, and signs with it by itself`,
            advice: 'Take a type that begins with frost-, if the nodes should share one key.',
          },
        ],
  );
}

function checkTenantRules({ tenant: { rules } }: VaultDocument): OpenFinding[] {
  return rules.flatMap<OpenFinding>(({ id, effect, operations }, index) => {
    const administers = operations.filter((operation) => ADMINISTRATION.includes(operation));
    if (effect === 'deny' || administers.length === 0) return [];
    return [
      {
        code: 'RULE_ADMINISTERS',
        severity: 'error',
        path: ['tenant', 'rules', index, 'operations'],
        text: `rule ${id} permits ${administers.join(', ')}, which owners alone may have done`,
        advice: 'Leave these operations out; owners have them by a rule of the vault.',
      },
    ];
  });
}

/** Finds doors that act as nobody, or as one who may have keys made and handed on: whoever reaches a door asks as its client. */
function checkGateways({ clients, tenant: { owners }, parts: { gateways } }: VaultDocument): OpenFinding[] {
  return gateways.flatMap<OpenFinding>(({ id, client }, index) => {
    const path = ['parts', 'gateways', index, 'client'];
    if (!clients.some((known) => known.id === client)) {
      return [
        {
          code: 'GATEWAY_CLIENT_UNKNOWN',
          severity: 'error',
          path,
          text: `door ${id} should act as ${client}, and no client has this id`,
          advice: 'Name one of clients.',
        },
      ];
    }
    if (!owners.clients.includes(client)) return [];
    return [
      {
        code: 'GATEWAY_CLIENT_OWNER',
        severity: 'error',
        path,
        text: `door ${id} should act as ${client}, an owner: whoever reaches the door could have keys made and handed on`,
        advice: 'Give the door a client of its own.',
      },
    ];
  });
}

/** Reads and lints the configuration as nodes will have it, but for the names of nodes. */
function checkConfiguration(document: VaultDocument, now: number): OpenFinding[] {
  const { clients, tenant, parts } = document;
  let configuration: Configuration;
  try {
    configuration = readConfiguration({
      format: CONFIGURATION_FORMAT_2,
      version: 1,
      manifest: createHash('sha384').update('').digest('hex'),
      // Open keys are findings of their own; here each stands for another one.
      clients: clients.map((client) =>
        isOpenValue(client.publicKey)
          ? { ...client, publicKey: createHash('sha256').update(client.id).digest('hex') }
          : client,
      ),
      ...deriveTenantMembers(document),
      // The tenant's rules come first: the parser names a rule by its index, which is then that of vault.yaml.
      rules: [...tenant.rules, ...deriveAdministrationRules(document)],
    });
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    const { field, problem } = error.details as { readonly field?: string; readonly problem?: string };
    return [
      {
        code: 'TENANT_MALFORMED',
        severity: 'error',
        path: toVaultPath((field ?? '').split('.')),
        text: `no node would take its configuration: ${field ?? 'the whole'}: ${problem ?? ''}`,
        advice: 'Mend the field; docs/rules.md explains each member.',
      },
    ];
  }
  return lintConfiguration(configuration, now).flatMap<OpenFinding>(({ code, severity, subject, text }) => {
    if (subject?.startsWith(RESERVED_PREFIX) === true) return [];
    // The nodes cosign each other's logs once they have keys for it.
    if (code === 'WITNESSES_NONE' && parts.peerWitnesses !== null) return [];
    const index = tenant.rules.findIndex(({ id }) => id === subject);
    return [
      {
        code: 'CONFIGURATION_FINDING',
        severity,
        path: index < 0 ? ['tenant'] : ['tenant', 'rules', index],
        text: `${code}${subject === null ? '' : ` (${subject})`}: ${text}`,
        advice: `holdfast explain ${code} says more.`,
      },
    ];
  });
}

/** Path in vault.yaml of a member of the configuration. */
function toVaultPath(path: readonly string[]): (string | number)[] {
  const names = path.map((name) => (/^\d+$/.test(name) ? Number(name) : name));
  if (names[0] === 'clients') return names;
  return [names[0] === 'witnesses' ? 'parts' : 'tenant', ...names];
}
