import { type Element } from '../groups/group.ts';
import { type RandomSource, withSecrets } from '../secrets.ts';
import { type Suite } from '../suites/suite.ts';

const NONCE_RANDOM_BYTES = 32;

/** A signer's public commitments to its two nonces: RFC 9591, 5.1. */
export interface NonceCommitments {
  readonly participant: number;
  readonly hiding: Uint8Array;
  readonly binding: Uint8Array;
}

/** Two secret nonces and the commitments to them. They sign once, and are zero afterwards. */
export interface Nonces {
  readonly hiding: Uint8Array;
  readonly binding: Uint8Array;
  readonly commitments: NonceCommitments;
  /** The commitments' elements, which spare decoding them; of use to the implementation that made them alone. */
  readonly elements?: { readonly hiding: Element; readonly binding: Element };
}

/**
 * Makes the nonces of one signature and commits to them: RFC 9591, 4.1 and 5.1. They are hedged with the share, so that a
 * weak source of randomness alone gives nothing away; one that repeats still repeats the nonces.
 */
export function commit(suite: Suite, participant: number, share: Uint8Array, random: RandomSource): Nonces {
  const [hiding, hidingElement] = makeNonce(suite, share, random);
  const [binding, bindingElement] = makeNonce(suite, share, random);
  const { group } = suite;
  return {
    hiding,
    binding,
    commitments: { participant, hiding: group.encode(hidingElement), binding: group.encode(bindingElement) },
    elements: { hiding: hidingElement, binding: bindingElement },
  };
}

function makeNonce(
  { group, hashNonce }: Suite,
  share: Uint8Array,
  random: RandomSource,
): [Uint8Array<ArrayBuffer>, Element] {
  const nonce = withSecrets((keep) => {
    const bytes = keep(random(NONCE_RANDOM_BYTES));
    if (bytes.length !== NONCE_RANDOM_BYTES) throw new RangeError('expected as many bytes as were asked for');
    return hashNonce(bytes, share);
  });
  return [nonce, group.multiplyBase(nonce)];
}

/** Clears nonces. */
export function clearNonces({ hiding, binding }: Pick<Nonces, 'hiding' | 'binding'>): void {
  hiding.fill(0);
  binding.fill(0);
}
