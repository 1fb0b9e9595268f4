import type * as z from 'zod';
import type { AddressBook } from './address-books.ts';
import type { Approver, ApproverGroup, ClientGroup } from './approvers.ts';
import { requireKnown } from './fields.ts';
import type { Limit } from './limits.ts';
import type { Pool } from './pools.ts';
import type { Quorum } from './quorum.ts';
import type { Recovery } from './recovery.ts';
import type { PermitRule, Rule } from './rules.ts';

/** Parts of a configuration that name each other. */
interface Parts {
  /** SHA-384 of the node's own manifest, in hex. */
  readonly manifest: string;
  readonly quorum?: Quorum | undefined;
  readonly clients: readonly {
    readonly id: string;
    readonly publicKey: string;
    readonly person: string | null;
  }[];
  readonly clientGroups: readonly ClientGroup[];
  readonly keys: readonly { readonly id: string }[];
  readonly approvers: readonly Approver[];
  readonly approverGroups: readonly ApproverGroup[];
  readonly addressBooks: readonly AddressBook[];
  readonly pools?: readonly Pool[] | undefined;
  readonly recovery?: Recovery | undefined;
  readonly rules: readonly Rule[];
}

const idsOf = (entries: readonly { readonly id: string }[]) => new Set(entries.map(({ id }) => id));

/** Reports each id that names nothing, each name that means two things, and each limit that is said in two ways. */
export function checkReferences(parts: Parts, context: z.RefinementCtx): void {
  checkPeople(parts, context);
  checkQuorum(parts, context);
  checkPools(parts, context);
  checkRecovery(parts, context);
  const known = {
    clients: idsOf([...parts.clients, ...parts.clientGroups]),
    keys: idsOf([...parts.keys, ...(parts.pools ?? [])]),
    books: idsOf(parts.addressBooks),
    groups: idsOf(parts.approverGroups),
  };
  for (const [index, rule] of parts.rules.entries()) {
    const at = (...path: (string | number)[]) => ['rules', index, ...path];
    requireKnown(context, rule.clients, {
      known: known.clients,
      noun: 'client or group',
      path: at('clients'),
    });
    requireKnown(context, rule.keys, { known: known.keys, noun: 'key or pool', path: at('keys') });
    for (const [place, { to }] of (rule.effects ?? []).entries()) {
      requireKnown(context, to?.books ?? [], {
        known: known.books,
        noun: 'address book',
        path: at('effects', place, 'to', 'books'),
      });
    }
    if (rule.effect === 'deny') continue;
    requireKnown(context, groupsOf(rule), { known: known.groups, noun: 'group', path: at('approvals') });
  }
  checkLimits(parts.rules, context);
}

/** Ids of the keys of pools have this form: a key or pool of the same form could be taken for one of them. */
const POOL_KEY_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Reports clients of pools that nobody is, and names that mean a key and a pool, or a key of a pool. */
function checkPools({ pools = [], keys, clients, clientGroups }: Parts, context: z.RefinementCtx): void {
  const known = idsOf([...clients, ...clientGroups]);
  const held = idsOf(keys);
  for (const [index, pool] of pools.entries()) {
    const path = ['pools', index];
    requireKnown(context, pool.clients, { known, noun: 'client or group', path: [...path, 'clients'] });
    if (!held.has(pool.id)) continue;
    context.addIssue({ code: 'custom', path: [...path, 'id'], message: `${pool.id} is a key, too` });
  }
  if (pools.length === 0) return;
  for (const [list, entries] of Object.entries({ keys, pools })) {
    for (const [index, { id }] of entries.entries()) {
      if (!POOL_KEY_ID.test(id)) continue;
      const message = 'the id has the form of those that keys of pools get';
      context.addIssue({ code: 'custom', path: [list, index, 'id'], message });
    }
  }
}

/** Reports keys that nobody holds, and keepers that nobody is or whose word no node can verify. */
function checkRecovery(
  { recovery, keys, pools = [], approvers, approverGroups }: Parts,
  context: z.RefinementCtx,
): void {
  if (recovery === undefined) return;
  const known = idsOf([...keys, ...pools]);
  requireKnown(context, recovery.required, { known, noun: 'key or pool', path: ['recovery', 'required'] });
  const path = ['recovery', 'keepers'];
  const group = approverGroups.find(({ id }) => id === recovery.keepers);
  requireKnown(context, [recovery.keepers], { known: idsOf(approverGroups), noun: 'group', path });
  const canSign = (id: string) =>
    approvers.some((one) => one.id === id && one.credentials.some(({ type }) => type === 'ed25519'));
  if (group !== undefined && !group.approvers.some(canSign))
    context.addIssue({ code: 'custom', path, message: 'nobody of the group has an Ed25519 key' });
}

/** Reports keys that nobody holds, and the node itself among its peers. */
function checkQuorum({ quorum, manifest, keys, pools = [] }: Parts, context: z.RefinementCtx): void {
  if (quorum === undefined) return;
  const path = ['quorum', 'servesAlone'];
  requireKnown(context, quorum.servesAlone, { known: idsOf([...keys, ...pools]), noun: 'key or pool', path });
  for (const [index, peer] of quorum.peers.entries()) {
    if (peer.manifest !== manifest) continue;
    context.addIssue({
      code: 'custom',
      path: ['quorum', 'peers', index, 'manifest'],
      message: 'the manifest of the node itself',
    });
  }
}

function checkPeople(parts: Parts, context: z.RefinementCtx): void {
  const { clients, clientGroups, approvers, approverGroups } = parts;
  const clientIds = idsOf(clients);
  const approverIds = idsOf(approvers);
  for (const [index, group] of clientGroups.entries()) {
    const path = ['clientGroups', index];
    requireKnown(context, group.clients, { known: clientIds, noun: 'client', path });
    if (clientIds.has(group.id)) {
      context.addIssue({ code: 'custom', path, message: `${group.id} is a client, too` });
    }
  }
  for (const [index, group] of approverGroups.entries()) {
    const path = ['approverGroups', index];
    requireKnown(context, group.approvers, { known: approverIds, noun: 'approver', path });
  }
  const approverKeys = new Set(
    approvers.flatMap(({ credentials }) => credentials.map((one) => one.publicKey)),
  );
  for (const [index, { person, publicKey }] of clients.entries()) {
    const path = ['clients', index];
    requireKnown(context, person === null ? [] : [person], { known: approverIds, noun: 'approver', path });
    // Whoever holds a client's key could approve the client's own requests.
    if (approverKeys.has(publicKey)) {
      context.addIssue({ code: 'custom', path, message: 'the public key is that of an approver' });
    }
  }
}

/** Lists the groups that a rule asks for approvals, by its approvals and its tiers. */
export function groupsOf({ approvals, tiers }: Pick<PermitRule, 'approvals' | 'tiers'>): string[] {
  const requirements = [approvals, ...tiers.flatMap(({ steps }) => steps.map((step) => step.approvals))];
  return [...new Set(requirements.flatMap((one) => one?.all ?? []).map(({ group }) => group))];
}

/** Reports limits of one id that differ, and those that two rules share though each counts for its own rule. */
function checkLimits(rules: readonly Rule[], context: z.RefinementCtx): void {
  const known = new Map<string, Limit>();
  for (const [index, rule] of rules.entries()) {
    if (rule.effect === 'deny') continue;
    for (const [place, limit] of rule.limits.entries()) {
      const other = known.get(limit.id);
      const path = ['rules', index, 'limits', place];
      if (other === undefined) known.set(limit.id, limit);
      else if (!isSameLimit(limit, other)) {
        context.addIssue({ code: 'custom', path, message: `the limit ${limit.id} is another elsewhere` });
      } else if (limit.per === 'rule') {
        context.addIssue({ code: 'custom', path, message: `the limit ${limit.id} is that of another rule` });
      }
    }
  }
}

function isSameLimit(one: Limit, other: Limit): boolean {
  return (
    one.asset === other.asset &&
    one.max === other.max &&
    one.seconds === other.seconds &&
    one.per === other.per &&
    one.fees === other.fees
  );
}
