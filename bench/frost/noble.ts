import { type DKG_Round2, type FROST } from '@noble/curves/abstract/frost.js';
import { ed25519_FROST } from '@noble/curves/ed25519.js';
import { schnorr_FROST } from '@noble/curves/secp256k1.js';
import { type Contestant, measure, type SuiteName, type Times } from './contestant.ts';

const SUITES: Readonly<Record<SuiteName, FROST>> = { ed25519: ed25519_FROST, taproot: schnorr_FROST };
const MESSAGE = new Uint8Array(32).fill(7);

/** The FROST of @noble/curves, which nodes signed with before shared/frost had arithmetic of its own. */
export const noble: Contestant = {
  name: 'noble',
  time(suite, threshold, participants, count): Times {
    const frost = SUITES[suite];
    const signers = { min: threshold, max: participants };
    const { public: group, secretShares } = frost.trustedDealer(signers);
    const secrets = Object.values(secretShares).slice(0, threshold);
    const [own] = secrets;
    if (own === undefined) throw new RangeError('expected a signer');
    const nonces = Array.from({ length: count }, () => secrets.map((secret) => frost.commit(secret)));
    const lists = nonces.map((list) => list.map(({ commitments }) => commitments));
    const signed: Record<string, Uint8Array>[] = [];
    const commit = measure(count, () => void frost.commit(own));
    const sign = measure(count, (number) => {
      const [first] = nonces[number] ?? [];
      if (first === undefined) return;
      const share = frost.signShare(own, group, first.nonces, lists[number] ?? [], MESSAGE);
      signed.push({ [own.identifier]: share });
    });
    for (const [number, shares] of signed.entries()) {
      for (const [index, secret] of secrets.entries()) {
        const other = nonces[number]?.[index];
        if (index > 0 && other !== undefined)
          shares[secret.identifier] = frost.signShare(
            secret,
            group,
            other.nonces,
            lists[number] ?? [],
            MESSAGE,
          );
      }
    }
    const aggregate = measure(count, (number) => {
      frost.aggregate(group, lists[number] ?? [], MESSAGE, signed[number] ?? {});
    });
    const generate =
      measure(Math.ceil(count / 10), () => runGeneration(frost, threshold, participants)) / participants;
    return { commit, sign, aggregate, generate };
  },
};

function runGeneration(frost: FROST, min: number, max: number): void {
  const ids = Array.from({ length: max }, (_, index) => frost.Identifier.fromNumber(index + 1));
  const first = ids.map((id) => frost.DKG.round1(id, { min, max }));
  const publics = first.map((each) => each.public);
  const othersOf = (id: string) => publics.filter(({ identifier }) => identifier !== id);
  const parts = first.map((each, index) => frost.DKG.round2(each.secret, othersOf(ids[index] ?? '')));
  for (const [index, id] of ids.entries()) {
    const received = parts.flatMap((sent): DKG_Round2[] => (sent[id] === undefined ? [] : [sent[id]]));
    const secret = first[index]?.secret;
    if (secret !== undefined) frost.DKG.round3(secret, othersOf(id), received);
  }
}
