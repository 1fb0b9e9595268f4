import {
  createGenerationTerms,
  createRefreshTerms,
  dealGroup,
  decodePackage,
  encodePackage,
  nobleSuites,
  startDealing,
  ThresholdError,
  verifyPackages,
} from '../../../shared/frost/index.ts';
import { shareTypeSchema } from '../../../shared/algorithms.ts';
import { assertThat, type FuzzTarget } from '../target.ts';

const KINDS = ['generate', 'refresh', 'reshare', 'repair'] as const;
const SIGNERS = [1, 2];

let counter = 0;
/** Bytes that differ from call to call and are the same in every run. */
const random = (length: number) => {
  counter += 1;
  return new Uint8Array(length).fill(counter % 251 || 1);
};

const ceremonies = shareTypeSchema.options.flatMap((type) => {
  const suite = nobleSuites[type];
  const { group } = dealGroup(suite, { epoch: 0, threshold: 2, signers: SIGNERS }, random);
  return [
    createGenerationTerms(suite, { threshold: 2, signers: SIGNERS }, new Uint8Array(0)),
    createRefreshTerms(group, SIGNERS, new Uint8Array(0)),
  ].map((terms) => ({
    terms,
    packages: SIGNERS.map((signer) => startDealing(terms, signer, random).package),
  }));
});

/** A package is read from its one encoding, and one in another's place is refused with codes alone. */
export const target: FuzzTarget = {
  maxBytes: 512,
  seeds: () =>
    ceremonies.flatMap(({ terms, packages }) =>
      packages.map((message) => encodePackage(terms.suite, message)),
    ),
  fuzz(data) {
    for (const { terms, packages } of ceremonies) {
      for (const kind of KINDS) {
        try {
          const message = decodePackage(terms.suite, kind, data);
          assertThat(
            encodePackage(terms.suite, message).equals(data),
            'another spelling of the same package',
          );
          verifyPackages(terms, [message, ...packages.slice(1)]);
        } catch (error) {
          if (!(error instanceof ThresholdError)) throw error;
        }
      }
    }
  },
};
