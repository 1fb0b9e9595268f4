import {
  basicConstraints,
  buildCertificate,
  certificateParts,
  SIGNS_CERTIFICATES,
  SIGNS_DOCUMENTS,
  type CertificateParts,
} from './certificate.ts';

/** Time of forged documents, milliseconds since 1970. */
export const AT = Date.UTC(2026, 0, 15, 12, 0, 0);

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** From the root to the leaf, with the life times that AWS gives them. */
export const ROLES = ['root', 'region', 'zone', 'instance', 'leaf'] as const;
export type Role = (typeof ROLES)[number];

const LIVES: Record<Role, readonly [before: number, after: number]> = {
  root: [2000 * DAY, 8000 * DAY],
  region: [10 * DAY, 10 * DAY],
  zone: [3 * DAY, 3 * DAY],
  instance: [12 * HOUR, 12 * HOUR],
  leaf: [HOUR, 2 * HOUR],
};

export type ChainChanges = { readonly [role in Role]?: (parts: CertificateParts) => void };

function partsOf(role: Role): CertificateParts {
  const index = ROLES.indexOf(role);
  const [before, after] = LIVES[role];
  const isLeaf = role === 'leaf';
  return certificateParts({
    subject: role,
    issuer: ROLES[Math.max(index - 1, 0)] ?? 'root',
    serial: index + 1,
    notBefore: AT - before,
    notAfter: AT + after,
    extensions: isLeaf
      ? [basicConstraints(false), SIGNS_DOCUMENTS]
      : [basicConstraints(true, role === 'root' ? undefined : 3 - index), SIGNS_CERTIFICATES],
  });
}

/** Forges the certificates from the root to the leaf, each changed in its own way. */
export function forgeChain(changes: ChainChanges = {}): Record<Role, Uint8Array> {
  const forge = (role: Role): Uint8Array => {
    const parts = partsOf(role);
    changes[role]?.(parts);
    return buildCertificate(parts);
  };
  return {
    root: forge('root'),
    region: forge('region'),
    zone: forge('zone'),
    instance: forge('instance'),
    leaf: forge('leaf'),
  };
}
