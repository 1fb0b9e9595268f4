import {
  assertShare,
  type CeremonyPackage,
  createGenerationTerms,
  createReshareTerms,
  decodeGroup,
  type DecodedGroup,
  type DealingTerms,
  finishDealing,
  type SecretPart,
  evaluateCommitments,
  type Suite,
  type Suites,
  ThresholdError,
  verifyPackages,
} from '../../shared/frost/index.ts';
import type { Dealing } from './message.ts';
import type { Plan } from './plan.ts';

/** What a node has dealt to everybody, for one key of a plan. */
export interface SentDealing {
  readonly sender: number;
  readonly dealing: Dealing;
}

/** The dealings of all dealers for one key, verified, and the group that they make in the plan's epoch. */
export interface VerifiedDealings {
  readonly group: DecodedGroup;
  /**
   * Computes a holder's share of what every dealer has for it, and verifies it. The caller clears the result.
   *
   * @throws ThresholdError naming all dealers at fault
   */
  receive(holder: number, parts: readonly SecretPart[]): Uint8Array<ArrayBuffer>;
  /** Tells whether a part is the value of its dealer's polynomial for a holder. */
  isPartOf(dealer: number, holder: number, part: Uint8Array): boolean;
}

/**
 * Makes the terms that dealers of one key of a plan deal under; undefined for an import, whose one dealer knows the key.
 * The plan's digest is in them, so that nothing of one ceremony is valid in another.
 *
 * @throws ThresholdError GROUP_INVALID, PARTICIPANTS_INVALID
 */
export function createDealingTerms(
  suites: Suites,
  { operation, threshold, dealers, holders, keys }: Plan,
  planDigest: Uint8Array,
  index: number,
): DealingTerms | undefined {
  const key = keys[index];
  if (key === undefined) throw new RangeError('expected the index of a key of the plan');
  if (operation === 'import-key') return undefined;
  const suite = suites[key.type];
  const context = Uint8Array.of(...planDigest, index);
  const quorum = { threshold, signers: holders };
  if (key.former === null) return createGenerationTerms(suite, quorum, context);
  const { epoch, commitments, holders: signers } = key.former;
  const base = decodeGroup(suite, {
    type: key.type,
    epoch,
    threshold: key.former.threshold,
    signers,
    commitments,
  });
  return createReshareTerms(base, dealers, quorum, context);
}

/**
 * Verifies what all dealers have dealt for one key of a plan, and computes the group that follows.
 *
 * Shares are dealt anew as in a reshare (Desmedt-Jajodia 1997, verified as in Wong-Wang-Wing 2002) whatever the operation
 * is called: each dealer's constant term is its old share, which its old verifying share proves.
 *
 * @param sent one of each dealer, by ascending sender
 * @throws ThresholdError naming all dealers at fault
 */
export function verifyDealings(
  suites: Suites,
  plan: Plan,
  planDigest: Uint8Array,
  index: number,
  sent: readonly SentDealing[],
): VerifiedDealings {
  const terms = createDealingTerms(suites, plan, planDigest, index);
  const key = plan.keys[index];
  if (key === undefined) throw new RangeError('expected a key of the plan');
  const { type, epoch } = key;
  const suite = suites[type];
  const quorum = { type, epoch, threshold: plan.threshold, signers: plan.holders };
  if (terms === undefined) return verifyImport(suites, quorum, key.publicKey, sent);
  const packages = sent.map(({ sender, dealing: { commitments, proofs } }): CeremonyPackage => ({
    kind: terms.kind,
    sender,
    terms: terms.digest,
    commitments,
    proofs,
  }));
  const verified = verifyPackages(terms, packages);
  return {
    group: decodeGroup(suite, { ...quorum, commitments: verified.group.commitments }),
    receive: (holder, parts) => finishDealing(verified, holder, parts),
    isPartOf: (dealer, holder, part) => isValueAt(suite, commitmentsOf(sent, dealer), holder, part),
  };
}

type Quorum = Pick<DecodedGroup, 'type' | 'epoch' | 'threshold' | 'signers'>;

function verifyImport(
  suites: Suites,
  quorum: Quorum,
  publicKey: Uint8Array | null,
  sent: readonly SentDealing[],
): VerifiedDealings {
  const [only] = sent;
  const culprits = sent.map(({ sender }) => sender);
  if (only === undefined || sent.length !== 1 || only.dealing.proofs.length !== 0)
    throw new ThresholdError('PACKAGE_INVALID', 'expected the dealing of one dealer', culprits);
  let group: DecodedGroup;
  try {
    group = decodeGroup(suites[quorum.type], { ...quorum, commitments: only.dealing.commitments });
  } catch (error) {
    if (!(error instanceof ThresholdError)) throw error;
    throw new ThresholdError('PACKAGE_INVALID', 'expected commitments to a polynomial', culprits);
  }
  if (publicKey === null || !Buffer.from(publicKey).equals(group.commitments[0] ?? new Uint8Array()))
    throw new ThresholdError('PACKAGE_INVALID', 'expected the public key of the plan', culprits);
  return {
    group,
    receive: (holder, [part]) => {
      if (part === undefined) throw new ThresholdError('SECRET_PART_INVALID', 'expected a share', culprits);
      try {
        assertShare(group, holder, part.value);
      } catch (error) {
        if (!(error instanceof ThresholdError)) throw error;
        throw new ThresholdError('SECRET_PART_INVALID', 'a share does not fit its group', culprits);
      }
      return Uint8Array.from(part.value);
    },
    isPartOf: (dealer, holder, part) =>
      isValueAt(suites[quorum.type], commitmentsOf(sent, dealer), holder, part),
  };
}

function commitmentsOf(sent: readonly SentDealing[], dealer: number): readonly Uint8Array[] {
  return sent.find(({ sender }) => sender === dealer)?.dealing.commitments ?? [];
}

/** Tells whether a scalar is the value at `holder` of the polynomial whose coefficients have these commitments. */
function isValueAt(
  { group }: Suite,
  commitments: readonly Uint8Array[],
  holder: number,
  value: Uint8Array,
): boolean {
  const elements = commitments.map((bytes) => group.decode(bytes));
  const decoded = elements.flatMap((element) => element ?? []);
  return (
    decoded.length === commitments.length &&
    decoded.length > 0 &&
    group.scalars.isCanonical(value) &&
    group.equals(group.multiplyBase(value), evaluateCommitments(group, decoded, holder))
  );
}
