import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  adjustGroup,
  adjustShare,
  createGenerationTerms,
  createTaprootTweak,
  dealTo,
  finishDealing,
  startDealing,
  verifyPackages,
} from '../../../shared/frost/index.ts';
import { sumScalars } from '../../../shared/frost/polynomial.ts';
import { CONTEXT, EVERY_SUITES, hex, toHex } from './support.ts';

interface Participant {
  readonly identifier: number;
  readonly signing_key: string;
  readonly coefficient: string;
  readonly vss_commitments: readonly string[];
  readonly proof_of_knowledge: string;
  /** By sender: what this participant received. */
  readonly signing_shares: Readonly<Record<string, string>>;
  readonly verifying_share: string;
  readonly signing_share: string;
}
interface Generation {
  readonly inputs: Readonly<Record<'1' | '2' | '3', Participant>> & { readonly verifying_key: string };
}
type Repair = Readonly<Record<'scalar_generation' | 'sigma_generation', Readonly<Record<string, string>>>>;

const FOLDER = join(import.meta.dirname, '../../vectors/frost');
const read = (path: string): unknown => JSON.parse(readFileSync(join(FOLDER, path), 'utf8'));

const CRATES = [
  ['ed25519', 'frost-ed25519'],
  ['ristretto255', 'frost-ristretto255'],
  ['p256', 'frost-p256'],
  ['secp256k1-tr', 'frost-secp256k1-taproot'],
] as const;

describe.each(
  EVERY_SUITES.flatMap(([implementation, suites]) =>
    CRATES.map(([crate, type]) => [crate, implementation, suites[type]] as const),
  ),
)('frost-%s 3.0.0, by %s', (crate, _implementation, suite) => {
  const { scalars } = suite.group;
  const { inputs } = read(`${crate}/vectors_dkg.json`) as Generation;
  const participants = [inputs[1], inputs[2], inputs[3]];
  const terms = createGenerationTerms(suite, { threshold: 2, signers: [1, 2, 3] }, CONTEXT);
  const packages = participants.map((participant) => ({
    kind: 'generate' as const,
    sender: participant.identifier,
    terms: terms.digest,
    commitments: participant.vss_commitments.map((text) => hex(text)),
    proofs: [hex(participant.proof_of_knowledge)],
  }));

  it('vectors_dkg: takes the packages, and commits to the same polynomials', () => {
    for (const participant of participants) {
      const drawn = [participant.signing_key, participant.coefficient, `${'00'.repeat(31)}07`];
      const dealer = startDealing(terms, participant.identifier, (length) => {
        const bytes = new Uint8Array(length);
        bytes.set(hex(drawn.shift() ?? ''), scalars.isLittleEndian ? 0 : length - 32);
        return bytes;
      });
      expect(dealer.package.commitments.map((bytes) => toHex(bytes))).toEqual(participant.vss_commitments);
      for (const receiver of participants) {
        const sent = receiver.signing_shares[String(participant.identifier)];
        if (sent !== undefined) expect(toHex(dealTo(dealer, receiver.identifier))).toBe(sent);
      }
    }
    expect(verifyPackages(terms, packages).group.epoch).toBe(1);
  });

  it('vectors_dkg: ends with the same shares and key, for taproot after the tweak of no script tree', () => {
    const verified = verifyPackages(terms, packages);
    const tweak = suite.isBip340 && createTaprootTweak(verified.group, new Uint8Array(0));
    const group = tweak ? adjustGroup(verified.group, tweak) : verified.group;
    expect(toHex(group.commitments[0] ?? CONTEXT)).toBe(inputs.verifying_key);
    for (const participant of participants) {
      const { identifier } = participant;
      // The part to itself is what the coefficients make: key + identifier · coefficient.
      const own = scalars.add(
        hex(participant.signing_key),
        scalars.multiply(scalars.fromNumber(identifier), hex(participant.coefficient)),
      );
      const parts = [
        { sender: identifier, value: own },
        ...Object.entries(participant.signing_shares).map(([sender, value]) => ({
          sender: Number(sender),
          value: hex(value),
        })),
      ];
      const share = finishDealing(verified, identifier, parts);
      expect(toHex(tweak ? adjustShare(verified.group, share, tweak) : share)).toBe(
        participant.signing_share,
      );
      expect(toHex(suite.group.encode(group.verifyingShare(identifier)))).toBe(participant.verifying_share);
    }
  });

  it('repair-share: adds deltas and sigmas up to the same scalars', () => {
    const { scalar_generation: deltas, sigma_generation: sigmas } = read(
      `${crate}/repair-share.json`,
    ) as Repair;
    const sum = (values: Readonly<Record<string, string>>, prefix: string, count: number) =>
      toHex(
        sumScalars(
          scalars,
          Array.from({ length: count }, (_, index) => hex(values[`${prefix}_${index + 1}`] ?? '')),
        ),
      );
    expect(sum(deltas, 'random_scalar', 3)).toBe(deltas['random_scalar_sum']);
    expect(sum(sigmas, 'sigma', 4)).toBe(sigmas['sigma_sum']);
  });
});
