import { normaliseOn } from '../../shared/addresses.ts';
import type {
  AddressBook,
  Approver,
  Client,
  Configuration,
  Rule,
  Witnesses,
} from '../../shared/documents/configuration.ts';
import {
  BOTH,
  change,
  compareLists,
  compareMaxima,
  compareNames,
  type ConfigurationChange,
  type Difference,
  GRANTS,
  joinDifferences,
  NEUTRAL,
  REVOKES,
} from './change.ts';
import { describeCredential } from '../description.ts';
import { effectOfUse } from './rules.ts';

/** Compares a client. Who stands behind a client may not approve its requests: that somebody else does now grants. */
export function compareClients(before: Client, after: Client): Difference | undefined {
  const say = (person: string | null) => person ?? 'nobody';
  return joinDifferences([
    before.publicKey === after.publicKey
      ? undefined
      : { text: `another key: ${before.publicKey} is now ${after.publicKey}`, ...BOTH },
    before.person === after.person
      ? undefined
      : {
          text: `behind it stood ${say(before.person)}, now ${say(after.person)}`,
          grants: before.person !== null,
          revokes: after.person !== null,
        },
  ]);
}

export function compareClientGroups(before: Configuration, after: Configuration): ConfigurationChange[] {
  return compareLists('clientGroup', [before.clientGroups, after.clientGroups], {
    describe: ({ clients }) => clients.join(', '),
    compare: (old, next) =>
      compareNames('clients', [old.clients, next.clients], effectOfUse(after.rules, namesClient(next.id))),
  });
}

const namesClient = (id: string) => (rule: Rule) => rule.clients.includes(id);

/** Compares approvers by their credentials: whoever has a further one may approve as this person. */
export function compareApprovers(before: Configuration, after: Configuration): ConfigurationChange[] {
  const write = ({ credentials }: Approver) => credentials.map(describeCredential);
  return compareLists('approver', [before.approvers, after.approvers], {
    describe: (approver) => write(approver).join(', '),
    compare: (old, next) => compareNames('credentials', [write(old), write(next)]),
  });
}

/** Compares groups of approvers: each member may consent and may reject, so that every change does both. */
export function compareApproverGroups(before: Configuration, after: Configuration): ConfigurationChange[] {
  return compareLists('approverGroup', [before.approverGroups, after.approverGroups], {
    describe: ({ approvers }) => approvers.join(', '),
    compare: (old, next) => {
      const difference = compareNames('approvers', [old.approvers, next.approvers]);
      return difference && { ...difference, ...(isAsked(after.rules, next.id) ? BOTH : NEUTRAL) };
    },
  });
}

function isAsked(rules: readonly Rule[], group: string): boolean {
  return rules.some((rule) => {
    if (rule.effect === 'deny') return false;
    const tiers = rule.tiers.flatMap(({ steps }) => steps.map(({ approvals }) => approvals));
    return [rule.approvals, ...tiers].some((each) => each?.all.some((one) => one.group === group) === true);
  });
}

export function compareAddressBooks(before: Configuration, after: Configuration): ConfigurationChange[] {
  return compareLists('addressBook', [before.addressBooks, after.addressBooks], {
    describe: ({ network, entries }) => `${entries.length} addresses of ${network}`,
    compare: (old, next) => {
      if (old.network !== next.network) return { text: `${old.network} is now ${next.network}`, ...BOTH };
      return joinDifferences([
        compareNames(
          'addresses',
          [addressesOf(old), addressesOf(next)],
          effectOfUse(after.rules, namesBook(next.id)),
        ),
        compareLabels(old, next),
      ]);
    },
  });
}

const namesBook = (id: string) => (rule: Rule) =>
  rule.effects?.some(({ to }) => to?.books.includes(id) === true) === true;
const addressesOf = ({ network, entries }: AddressBook) =>
  entries.map(({ address }) => normaliseOn(network, address));

/** Compares the labels of addresses that are in both: they permit nothing, and approvers read them. */
function compareLabels(before: AddressBook, after: AddressBook): Difference | undefined {
  const labels = new Map(
    before.entries.map(({ address, label }) => [normaliseOn(before.network, address), label]),
  );
  const changed = after.entries.flatMap(({ address, label }) => {
    const old = labels.get(normaliseOn(after.network, address));
    return old === undefined || old === label ? [] : [`${old} is now called ${label}`];
  });
  return changed.length === 0 ? undefined : { text: changed.join(', '), ...NEUTRAL };
}

/** Compares witnesses: fewer that must cosign, or more time without them, lets a node sign what it would not have. */
export function compareWitnesses(
  { witnesses: before }: Configuration,
  { witnesses: after }: Configuration,
): ConfigurationChange[] {
  const difference = compareWitnessSets(before, after);
  return difference === undefined ? [] : [change('witnesses', 'witnesses', 'changed', difference)];
}

function compareWitnessSets(before: Witnesses | null, after: Witnesses | null): Difference | undefined {
  if (before === null || after === null) {
    if (before === after) return undefined;
    return after === null
      ? { text: 'the log has no witnesses any more', ...GRANTS }
      : { text: `${after.threshold} of ${after.keys.length} must cosign`, ...REVOKES };
  }
  const keys = compareNames('keys', [before.keys, after.keys]);
  return joinDifferences([
    compareMaxima('threshold', [BigInt(before.threshold), BigInt(after.threshold)], REVOKES),
    keys && { ...keys, ...BOTH },
    compareMaxima('seconds without cosignatures', [
      BigInt(before.maxUncosignedSeconds),
      BigInt(after.maxUncosignedSeconds),
    ]),
  ]);
}
