import { computeLagrangeCoefficient } from '../../shared/frost/polynomial.ts';
import { withSecrets } from '../../shared/frost/secrets.ts';
import { RecoveryCeremonyError } from './errors.ts';
import type { RecoveredShares } from './open.ts';

/**
 * Computes the whole secret key of a group: the polynomial's value at 0 (RFC 9591, appendix C.1). Whoever has it signs
 * alone. The caller clears it.
 *
 * @returns 32 bytes: the scalar, as the group serialises it
 * @throws RecoveryCeremonyError BACKUP_CONTENT_MISMATCH where it is not that of the public key
 */
export function joinKey({ key, group, shares }: RecoveredShares): Uint8Array<ArrayBuffer> {
  const { group: curve } = group.suite;
  const { scalars } = curve;
  const members = [...shares.keys()];
  const secret = withSecrets((keep) => {
    let sum: Uint8Array<ArrayBuffer> | undefined;
    for (const [member, share] of shares) {
      const term = keep(scalars.multiply(computeLagrangeCoefficient(scalars, members, member), share));
      sum = keep(sum === undefined ? term : scalars.add(sum, term));
    }
    return Uint8Array.from(sum ?? []);
  });
  const actual = Buffer.from(curve.encode(curve.multiplyBase(secret)));
  if (actual.equals(group.commitments[0] ?? new Uint8Array())) return secret;
  secret.fill(0);
  throw new RecoveryCeremonyError('BACKUP_CONTENT_MISMATCH', 'the joined key is not that of the public key', {
    key,
  });
}
