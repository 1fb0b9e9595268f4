import {
  ALGORITHMS,
  describeAlgorithm,
  isShareType,
  PAYLOAD_KINDS,
  type ShareType,
} from '../../../shared/algorithms.ts';
import type { ClientGroup, Rule } from '../../../shared/documents/configuration.ts';
import { UNLIMITED } from '../../../shared/documents/configuration/rules.ts';
import type { Operation } from '../../../shared/operations.ts';
import type { VaultDocument } from '../document.ts';

/** Beginning of every id that the vault gives to rules and groups of its own; the tenant's do not begin with it. */
export const RESERVED_PREFIX = 'vault-';
export const OWNERS_GROUP = `${RESERVED_PREFIX}owners`;
export const OTHERS_GROUP = `${RESERVED_PREFIX}others`;

/** Ceremonies that owners hold on keys of the quorum. */
const CEREMONIES = ['generate', 'refresh', 'reshare', 'repair'] as const satisfies readonly Operation[];
/** Ways by which a share comes from outside: somebody has seen the whole key. No key of a vault begins with them. */
const FROM_OUTSIDE = ['import-key', 'import-share'] as const satisfies readonly Operation[];
/** Operations by which somebody decides about keys themselves; no rule of the tenant permits one. */
export const ADMINISTRATION: readonly Operation[] = [...CEREMONIES, ...FROM_OUTSIDE];

type Tenant = Pick<VaultDocument, 'clients' | 'tenant'>;

/** Groups of clients that the rules of administration name. */
export function deriveAdministrationGroups({ clients, tenant }: Tenant): ClientGroup[] {
  const owners = tenant.owners.clients;
  const others = clients.map(({ id }) => id).filter((id) => !owners.includes(id));
  return [
    { id: OWNERS_GROUP, clients: [...owners] },
    ...(others.length === 0 ? [] : [{ id: OTHERS_GROUP, clients: others }]),
  ];
}

/**
 * Rules by which owners alone administer keys of the quorum. The denials hold whatever rules of the tenant permit, and
 * only a configuration that the node's authorities sign can change them: no client can, by any interface.
 */
export function deriveAdministrationRules(document: Tenant): Rule[] {
  return [...deriveCeremonyRules(document), deriveBackupRule(document)];
}

/** Rule by which owners have backups made of every key. They are encrypted to the recovery key of each node's manifest. */
function deriveBackupRule({ tenant: { keys } }: Tenant): Rule {
  const suitable = ALGORITHMS.map((name) => ({ name, ...describeAlgorithm(name) })).filter(
    ({ usage, keys: types }) => usage === 'sign' && keys.some(({ type }) => types.includes(type)),
  );
  return {
    ...UNLIMITED,
    id: `${RESERVED_PREFIX}owners-back-up`,
    effect: 'permit',
    operations: ['backup'],
    clients: [OWNERS_GROUP],
    keys: keys.map(({ id }) => id),
    // A backup has neither algorithm nor payload; a rule names those of its keys for its form.
    algorithms: suitable.map(({ name }) => name),
    payloads: PAYLOAD_KINDS.filter((kind) => suitable.some((one) => one.payloads.includes(kind))),
    effects: [{ type: 'blind', to: null, assets: null, contracts: null, amount: null }],
  };
}

function deriveCeremonyRules(document: Tenant): Rule[] {
  const shares = document.tenant.keys.flatMap(({ id, type }) => (isShareType(type) ? [{ id, type }] : []));
  const types: readonly ShareType[] = [...new Set(shares.map(({ type }) => type))];
  if (types.length === 0) return [];
  const payloads = PAYLOAD_KINDS.filter((kind) =>
    types.some((type) => describeAlgorithm(type).payloads.includes(kind)),
  );
  const scope = {
    keys: shares.map(({ id }) => id),
    algorithms: [...types],
    payloads,
    networks: null,
    time: null,
  };
  const everybody = deriveAdministrationGroups(document).map(({ id }) => id);
  const others: Rule[] = everybody.includes(OTHERS_GROUP)
    ? [
        {
          ...scope,
          id: `${RESERVED_PREFIX}others-administer-nothing`,
          effect: 'deny',
          operations: [...CEREMONIES],
          clients: [OTHERS_GROUP],
          effects: null,
          features: null,
        },
      ]
    : [];
  return [
    {
      ...UNLIMITED,
      ...scope,
      id: `${RESERVED_PREFIX}owners-administer`,
      effect: 'permit',
      operations: [...CEREMONIES],
      clients: [OWNERS_GROUP],
      effects: [{ type: 'blind', to: null, assets: null, contracts: null, amount: null }],
    },
    ...others,
    {
      ...scope,
      id: `${RESERVED_PREFIX}no-key-from-outside`,
      effect: 'deny',
      operations: [...FROM_OUTSIDE],
      clients: everybody,
      effects: null,
      features: null,
    },
  ];
}
