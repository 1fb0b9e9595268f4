import { createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto';
import { ed25519 } from '@noble/curves/ed25519.js';
import type { VaultDocument } from '../document.ts';
import type { Role } from '../roles.ts';
import type { OpenFinding } from './finding.ts';
import { isOpenValue } from './placeholders.ts';

interface KeyUse {
  readonly key: string;
  readonly purpose: 'statement' | 'authority' | 'recovery' | 'client' | 'approver';
  /** Who holds it, in words. */
  readonly holder: string;
  readonly roles: readonly Role[];
  readonly path: readonly (string | number)[];
}

/** Finds public keys that stand in two places, and such as nobody can have the private half of. */
export function checkKeys(document: VaultDocument): OpenFinding[] {
  const uses = listKeys(document).filter(({ key }) => !isOpenValue(key));
  return [
    ...[...Map.groupBy(uses, ({ key }) => key).values()].flatMap(describeRepeated),
    ...uses.flatMap(checkUsable),
  ];
}

function listKeys({ infrastructure, nodes, clients, tenant }: VaultDocument): KeyUse[] {
  return [
    {
      key: infrastructure.statementKey,
      purpose: 'statement',
      holder: 'infrastructure',
      roles: ['infrastructure'],
      path: ['infrastructure', 'statementKey'],
    },
    ...nodes.flatMap<KeyUse>(({ node, statementKey, configurationAuthority, recovery }, index) => {
      const at = { holder: `node ${node}`, roles: [`node-${node}`] as const };
      return [
        { ...at, key: statementKey, purpose: 'statement', path: ['nodes', index, 'statementKey'] },
        ...configurationAuthority.keys.map<KeyUse>((key, position) => ({
          ...at,
          key,
          purpose: 'authority',
          path: ['nodes', index, 'configurationAuthority', 'keys', position],
        })),
        {
          ...at,
          key: recovery.publicKey,
          purpose: 'recovery',
          path: ['nodes', index, 'recovery', 'publicKey'],
        },
      ];
    }),
    ...clients.map<KeyUse>(({ id, publicKey }, index) => ({
      key: publicKey,
      purpose: 'client',
      holder: `client ${id}`,
      roles: [],
      path: ['clients', index, 'publicKey'],
    })),
    ...tenant.approvers.flatMap(({ id, credentials }, index) =>
      credentials.flatMap<KeyUse>(({ type, publicKey }, position) =>
        type !== 'ed25519'
          ? []
          : [
              {
                key: publicKey,
                purpose: 'approver',
                holder: `approver ${id}`,
                roles: [],
                path: ['tenant', 'approvers', index, 'credentials', position, 'publicKey'],
              },
            ],
      ),
    ),
  ];
}

function describeRepeated(uses: readonly KeyUse[]): OpenFinding[] {
  const [first, ...others] = uses;
  const second = others.at(0);
  if (first === undefined || second === undefined) return [];
  const at = {
    roles: [...new Set(uses.flatMap(({ roles }) => roles))],
    path: second.path,
  };
  const holders = [...new Set(uses.map(({ holder }) => holder))].join(' and ');
  const purposes = new Set(uses.map(({ purpose }) => purpose));
  if (purposes.size > 1) {
    return [
      {
        ...at,
        code: 'KEY_OF_TWO_PURPOSES',
        severity: 'error',
        text: `one key is for ${[...purposes].join(' and ')} (${holders}): what is signed for one purpose could be used for the other`,
        advice: 'Make a key of its own for each purpose.',
      },
    ];
  }
  switch (first.purpose) {
    case 'statement':
      return [
        {
          ...at,
          code: 'STATEMENT_KEY_SHARED',
          severity: 'error',
          text: `${holders} have one statement key: each could speak for the other`,
          advice: 'Have each role make its own: holdfast vault init says how.',
        },
      ];
    case 'authority':
      return [
        {
          ...at,
          code: 'AUTHORITY_KEY_SHARED',
          severity: 'error',
          text: `${holders} have an authority in common: whoever holds that key decides for all of them`,
          advice: 'Give each node authorities of its own.',
        },
      ];
    case 'recovery':
    case 'client':
    case 'approver':
    default:
      // Configurations refuse clients and approvers; nodes that share keys have one recovery key.
      return [];
  }
}

function checkUsable({ key, purpose, holder, roles, path }: KeyUse): OpenFinding[] {
  const bytes = Buffer.from(key, 'hex');
  if (purpose === 'recovery' ? isX25519(bytes) : isEd25519(bytes)) return [];
  return [
    {
      code: 'PUBLIC_KEY_UNUSABLE',
      severity: 'error',
      roles,
      path,
      text: `the ${purpose} key of ${holder} is no public key of ${purpose === 'recovery' ? 'X25519' : 'Ed25519'}, or one of small order that anybody can sign or read for`,
      advice: 'Copy the public key again from where it was made.',
    },
  ];
}

function isEd25519(bytes: Uint8Array): boolean {
  try {
    const point = ed25519.Point.fromBytes(bytes);
    // Points beside the prime-order group verify what their holder did not sign.
    return !point.isSmallOrder() && point.isTorsionFree();
  } catch {
    return false;
  }
}

function isX25519(bytes: Buffer): boolean {
  try {
    const { privateKey } = generateKeyPairSync('x25519');
    const publicKey = createPublicKey({ key: bytes, format: 'raw-public', asymmetricKeyType: 'x25519' });
    return diffieHellman({ privateKey, publicKey }).some((byte) => byte !== 0);
  } catch {
    return false;
  }
}
