import {
  ALGORITHMS,
  describeAlgorithm,
  isShareType,
  PAYLOAD_KINDS,
  type ShareType,
} from '../../../shared/algorithms.ts';
import type { ClientGroup, Rule } from '../../../shared/documents/configuration.ts';
import type { NetworkKey } from '../../../shared/documents/configuration/keys.ts';
import { UNLIMITED } from '../../../shared/documents/configuration/rules.ts';
import type { Operation } from '../../../shared/operations.ts';
import type { VaultDocument } from '../document.ts';

/** Beginning of every id that the vault gives to rules and groups of its own; the tenant's do not begin with it. */
export const RESERVED_PREFIX = 'vault-';
/** Id of the group of clients that administer keys. */
export const OWNERS_GROUP = `${RESERVED_PREFIX}owners`;
/** Id of the group of all other clients. */
export const OTHERS_GROUP = `${RESERVED_PREFIX}others`;

/** Ceremonies that owners hold on keys of the quorum. */
const CEREMONIES = ['generate', 'refresh', 'reshare', 'repair'] as const satisfies readonly Operation[];
/** Ways by which a share comes from outside: somebody has seen the whole key. Only a key that is to be recovered may. */
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

/** Tells whether a key exists already, in backups alone: vault.yaml pins its public key. */
export function isToRecover({ publicKey }: Pick<NetworkKey, 'publicKey'>): boolean {
  return publicKey !== undefined;
}

function deriveCeremonyRules(document: Tenant): Rule[] {
  const shares = document.tenant.keys.filter(({ type }) => isShareType(type));
  const types: readonly ShareType[] = [
    ...new Set(shares.flatMap(({ type }) => (isShareType(type) ? [type] : []))),
  ];
  if (types.length === 0) return [];
  const payloads = PAYLOAD_KINDS.filter((kind) =>
    types.some((type) => describeAlgorithm(type).payloads.includes(kind)),
  );
  const everybody = deriveAdministrationGroups(document).map(({ id }) => id);
  const common = { algorithms: [...types], payloads, networks: null, time: null };
  const permit = (id: string, operations: readonly Operation[], keys: readonly NetworkKey[]): Rule => ({
    ...UNLIMITED,
    ...common,
    id: `${RESERVED_PREFIX}${id}`,
    effect: 'permit',
    operations: [...operations],
    clients: [OWNERS_GROUP],
    keys: keys.map((key) => key.id),
    effects: [{ type: 'blind', to: null, assets: null, contracts: null, amount: null }],
  });
  const deny = (
    id: string,
    clients: readonly string[],
    operations: readonly Operation[],
    keys: readonly NetworkKey[],
  ): Rule[] =>
    clients.length === 0 || keys.length === 0
      ? []
      : [
          {
            ...common,
            id: `${RESERVED_PREFIX}${id}`,
            effect: 'deny',
            operations: [...operations],
            clients: [...clients],
            keys: keys.map((key) => key.id),
            effects: null,
            features: null,
          },
        ];
  const lost = shares.filter(isToRecover);
  const others = everybody.filter((id) => id === OTHERS_GROUP);
  return [
    permit('owners-administer', CEREMONIES, shares),
    // Nodes compare what is imported with the public key that is pinned, and refuse every other key.
    ...(lost.length === 0 ? [] : [permit('owners-recover', ['import-key'], lost)]),
    ...deny('others-administer-nothing', others, CEREMONIES, shares),
    ...deny('others-recover-nothing', others, ['import-key'], lost),
    ...deny('no-other-key-in-place', everybody, ['generate', 'import-share'], lost),
    ...deny(
      'no-key-from-outside',
      everybody,
      FROM_OUTSIDE,
      shares.filter((key) => !isToRecover(key)),
    ),
  ];
}
