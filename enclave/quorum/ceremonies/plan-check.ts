import type { CeremonyMember, Plan, PlannedKey } from '../../../audit/transcript/index.ts';
import { epochOf, type PendingEpoch, publicKeyOf, type ShareRecord } from '../../frost/index.ts';
import type { PeerIdentity } from '../../peers/peer-network.ts';
import { CeremonyError, type CeremonyErrorCode } from './errors.ts';
import type { ShareKeeper } from './share-keeper.ts';

/** What a node knows when it is asked to take part in a plan. */
export interface PlanKnowledge {
  readonly keeper: ShareKeeper;
  /** The node itself, as it describes itself. */
  readonly own: CeremonyMember;
  /** The threshold of the manifest. */
  readonly threshold: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Another node as its channel has proved it. */
  readonly identity: (node: number) => PeerIdentity | undefined;
}

/** Milliseconds by which the time of a plan may differ from a participant's clock. */
const PLAN_WINDOW_MS = 120_000;
/** By how much a ceremony raises the epoch at most: each one that has failed raises it by one. */
export const MAX_EPOCH_LEAP = 65_536;

/**
 * Checks a plan against all that this node knows by itself: who takes part, the state of each key, the threshold. Whether
 * the client may have it is not decided here.
 *
 * @param asker number of the node that asks: it leads the ceremony
 * @throws CeremonyError
 */
export function assertPlan(plan: Plan, asker: number, knowledge: PlanKnowledge): void {
  const { own, threshold, now } = knowledge;
  if (plan.coordinator !== asker) throw refuse('coordinator');
  if (Math.abs(plan.time - now) > PLAN_WINDOW_MS) throw refuse('time');
  if (plan.threshold < threshold) {
    throw new CeremonyError('CEREMONY_THRESHOLD_LOW', "the threshold is below the manifest's", {
      expected: threshold,
      actual: plan.threshold,
    });
  }
  if (!plan.members.some(({ node }) => node === own.node)) throw refuse('members');
  for (const member of plan.members) assertMember(member, knowledge);
  for (const key of plan.keys) assertKey(plan, key, knowledge);
}

function assertMember(member: CeremonyMember, { own, identity }: PlanKnowledge): void {
  const known = member.node === own.node ? own : identity(member.node);
  // A node that has restarted begins its sessions one after the other.
  if (known === undefined || (known !== own && known.session !== member.session)) {
    throw new CeremonyError('CEREMONY_NODES_UNREACHABLE', 'no session with a node of the plan', {
      nodes: [member.node],
    });
  }
  const isKnown =
    isEqual(known.manifest, member.manifest) &&
    isEqual(known.receiptKey, member.receiptKey) &&
    known.session === member.session &&
    known.configuration.version === member.configuration.version &&
    known.configuration.digest === member.configuration.digest;
  if (!isKnown) throw refuse('identity', { node: member.node });
}

function assertKey(plan: Plan, planned: PlannedKey, { keeper, own, threshold }: PlanKnowledge): void {
  const entry = keeper.shareEntry(planned.key);
  if (entry === undefined || entry.type !== planned.type)
    throw refuseState('the configuration has no such key', planned);
  const record = keeper.shareRecord(planned.key);
  assertPinned(planned, entry, plan.operation);
  if (planned.epoch > (planned.former?.epoch ?? 0) + MAX_EPOCH_LEAP) throw refuse('epoch');
  // A node without a share believes the dealers: one of them at least has to be honest, and know the group.
  if (planned.former !== null && record === undefined && planned.former.threshold < threshold)
    throw refuse('former');
  if (planned.former === null) {
    if (record !== undefined && epochOf(record) !== undefined) throw refuseState('the key exists', planned);
  } else {
    assertFormer(plan, planned, own.node, record);
  }
  assertPending(plan, planned, record);
}

/** Asserts that a key is the one that the configuration pins. */
function assertPinned(
  planned: PlannedKey,
  {
    publicKey,
    commitments,
  }: { readonly publicKey?: string | undefined; readonly commitments?: string | undefined },
  operation: Plan['operation'],
): void {
  const { former, origin } = planned;
  if (former === null || origin === null) {
    if (publicKey !== undefined && planned.publicKey !== null && publicKey !== hex(planned.publicKey))
      throw refuseState('the configuration pins another public key', planned);
    // The first group of a key that nodes make is not known before; its public key is, for an import.
    if (commitments !== undefined || (publicKey !== undefined && operation === 'generate'))
      throw refuseState('the configuration pins a key that exists already', planned);
    return;
  }
  if (publicKey !== undefined && publicKey !== hex(former.commitments[0] ?? new Uint8Array()))
    throw refuseState('the configuration pins another public key', planned);
  if (commitments !== undefined && commitments !== hex(origin))
    throw refuseState('the configuration pins another group', planned);
}

/** Asserts that the group that a plan starts from is this node's, or one that it does not know to be wrong. */
function assertFormer(plan: Plan, planned: PlannedKey, node: number, record: ShareRecord | undefined): void {
  const { former, origin } = planned;
  if (former === null || origin === null) throw refuse('former');
  const isDealer = plan.dealers.includes(node);
  const known = record && epochOf(record);
  if (record === undefined || known === undefined) {
    if (isDealer) throw refuseState('this node holds no share', planned);
    return;
  }
  const publicKey = publicKeyOf(record);
  if (
    (publicKey !== undefined && !isEqual(publicKey, former.commitments[0])) ||
    (record.origin !== null && record.origin !== hex(origin))
  )
    throw refuseState('the key is another one', planned);
  if (known > former.epoch) throw refuseState('this node knows of a newer epoch', planned);
  const { current } = record;
  if (current === null || known < former.epoch) {
    if (isDealer) throw refuseState('this node holds no share of that epoch', planned);
    return;
  }
  const { threshold, signers, commitments } = current.group;
  const isSame =
    threshold === former.threshold &&
    String(signers) === String(former.holders) &&
    commitments.every((one, index) => isEqual(one, former.commitments[index]));
  if (!isSame) throw refuseState('the epoch has another group', planned);
}

/** Asserts that earlier ceremonies on the key have ended, or may be left behind, and that the epoch is a new one. */
function assertPending(plan: Plan, planned: PlannedKey, record: ShareRecord | undefined): void {
  for (const pending of record?.pending ?? []) {
    if (pending.share.group.epoch >= planned.epoch)
      throw new CeremonyError('CEREMONY_EPOCH_USED', 'the epoch was confirmed before', { key: planned.key });
    if (!pending.isAborted && !mayAbandon(plan, pending))
      throw new CeremonyError('CEREMONY_UNRESOLVED', 'an earlier ceremony has no end yet', {
        key: planned.key,
      });
  }
  const known = record && epochOf(record);
  if (known !== undefined && known >= planned.epoch)
    throw new CeremonyError('CEREMONY_EPOCH_USED', 'the epoch has passed', { key: planned.key });
}

/**
 * Tells whether a plan may leave a confirmed epoch behind: it says so, and one of the nodes that had to confirm takes no
 * part, as somebody has to decide that it is not waited for.
 */
function mayAbandon({ abandons, operation, holders }: Plan, { ceremony, share }: PendingEpoch): boolean {
  return (
    (operation === 'reshare' || operation === 'generate' || operation === 'import-key') &&
    abandons.some((id) => isEqual(id, ceremony)) &&
    share.group.signers.some((signer) => !holders.includes(signer))
  );
}

function refuse(reason: string, details: Record<string, unknown> = {}): CeremonyError {
  return new CeremonyError('CEREMONY_PLAN_REFUSED', 'the plan is not what this node knows', {
    reason,
    ...details,
  });
}

function refuseState(message: string, { key }: PlannedKey): CeremonyError {
  const code: CeremonyErrorCode = 'CEREMONY_KEY_STATE';
  return new CeremonyError(code, message, { key });
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

function isEqual(one: Uint8Array, other: Uint8Array | undefined): boolean {
  return other !== undefined && Buffer.from(one).equals(other);
}
