import { randomBytes } from 'node:crypto';
import {
  aggregate,
  commit,
  createGenerationTerms,
  createSuites,
  dealGroup,
  dealTo,
  finishDealing,
  signShare,
  startDealing,
  type Suite,
  verifyPackages,
} from '../../shared/frost/index.ts';
import { type Groups } from '../../shared/frost/groups/group.ts';
import { type Contestant, measure, type SuiteName, type Times } from './contestant.ts';

const TYPES = { ed25519: 'frost-ed25519', taproot: 'frost-secp256k1-taproot' } as const;
const MESSAGE = new Uint8Array(32).fill(7);
const random = (length: number) => new Uint8Array(randomBytes(length));

/** Makes a contestant of shared/frost over an implementation of the groups. */
export function createOurs(name: string, groups: Groups): Contestant {
  const suites = createSuites(groups);
  return {
    name,
    time: (suite: SuiteName, ...rest) => time(suites[TYPES[suite]], ...rest),
  };
}

function time(suite: Suite, threshold: number, participants: number, count: number): Times {
  const signers = Array.from({ length: participants }, (_, index) => index + 1);
  const { group, shares } = dealGroup(suite, { epoch: 1, threshold, signers }, random);
  const holders = [...shares]
    .slice(0, threshold)
    .map(([participant, share]) => ({ group, participant, share }));
  const [own] = holders;
  if (own === undefined) throw new RangeError('expected a signer');
  const committing = measure(count, () => void commit(suite, own.participant, own.share, random));
  const nonces = Array.from({ length: count }, () =>
    holders.map(({ participant, share }) => commit(suite, participant, share, random)),
  );
  const lists = nonces.map((list) => list.map(({ commitments }) => commitments));
  const makeShare = (number: number, index: number) => {
    const [holder, used, list] = [holders[index], nonces[number]?.[index], lists[number]];
    if (holder === undefined || used === undefined || list === undefined) throw new RangeError('no signer');
    return {
      participant: holder.participant,
      signatureShare: signShare(holder, used, list, MESSAGE),
    };
  };
  const firsts: ReturnType<typeof makeShare>[] = [];
  const sign = measure(count, (number) => void firsts.push(makeShare(number, 0)));
  const all = firsts.map((first, number) => [
    first,
    ...holders.slice(1).map((_, index) => makeShare(number, index + 1)),
  ]);
  const aggregating = measure(count, (number) => {
    aggregate(group, lists[number] ?? [], MESSAGE, all[number] ?? []);
  });
  const generate = measure(Math.ceil(count / 10), () => runGeneration(suite, threshold, signers));
  return { commit: committing, sign, aggregate: aggregating, generate: generate / participants };
}

function runGeneration(suite: Suite, threshold: number, signers: readonly number[]): void {
  const terms = createGenerationTerms(suite, { threshold, signers }, new Uint8Array(32));
  const dealers = signers.map((signer) => startDealing(terms, signer, random));
  for (const receiver of signers) {
    const verified = verifyPackages(
      terms,
      dealers.map((dealer) => dealer.package),
    );
    const parts = dealers.map((dealer) => ({ sender: dealer.participant, value: dealTo(dealer, receiver) }));
    finishDealing(verified, receiver, parts);
  }
}
