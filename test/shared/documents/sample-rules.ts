import type {
  Condition,
  ConfigurationDocument2,
  DenyRule,
  PermitRule,
} from '../../../shared/documents/configuration.ts';
import { UNLIMITED } from '../../../shared/documents/configuration/rules.ts';

export const MAINNET = 'eip155:1';
export const ETHER = 'eip155:1/slip44:60';
/** Addresses with the checksum of EIP-55, from its test cases. */
export const CAROL = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed';
export const DAVE = '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359';

/** Makes a condition that only names its type. */
export const condition = (changes: Partial<Condition> = {}): Condition => ({
  type: 'transfer',
  to: null,
  assets: null,
  contracts: null,
  amount: null,
  ...changes,
});

/** Makes a permit of Ethereum transfers without any limit. */
export const permit = (changes: Partial<PermitRule> = {}): PermitRule => ({
  id: 'transfers',
  effect: 'permit',
  operations: ['sign'],
  clients: ['backend'],
  keys: ['hot'],
  algorithms: ['ecdsa-secp256k1'],
  payloads: ['ethereum-transaction'],
  ...UNLIMITED,
  networks: [MAINNET],
  effects: [condition()],
  ...changes,
});

/** Makes a denial of all Ethereum transactions of a client and key. */
export const denial = (changes: Partial<DenyRule> = {}): DenyRule => ({
  id: 'frozen',
  effect: 'deny',
  operations: ['sign'],
  clients: ['backend'],
  keys: ['hot'],
  algorithms: ['ecdsa-secp256k1'],
  payloads: ['ethereum-transaction'],
  networks: null,
  time: null,
  effects: null,
  features: null,
  ...changes,
});

const approver = (id: string, digit: string) => ({
  id,
  credentials: [{ type: 'ed25519' as const, publicKey: digit.repeat(64) }],
});

/** Makes a configuration of format 2 with five people, two groups of them, and an address book. */
export const makeConfiguration2 = (
  changes: Partial<ConfigurationDocument2> = {},
): ConfigurationDocument2 => ({
  format: 'holdfast-configuration/2',
  version: 1,
  manifest: '00'.repeat(48),
  clients: [
    { id: 'backend', publicKey: '01'.repeat(32), person: 'ann' },
    { id: 'treasury', publicKey: '02'.repeat(32), person: null },
  ],
  clientGroups: [{ id: 'all-clients', clients: ['backend', 'treasury'] }],
  keys: [
    { id: 'hot', type: 'secp256k1', networks: [MAINNET] },
    { id: 'cold', type: 'secp256k1', networks: [MAINNET] },
  ],
  approvers: [
    approver('ann', 'a'),
    approver('bob', 'b'),
    approver('cem', 'c'),
    approver('dan', 'd'),
    approver('eve', 'e'),
  ],
  approverGroups: [
    { id: 'treasurers', approvers: ['ann', 'bob', 'cem', 'dan'] },
    { id: 'security', approvers: ['dan', 'eve'] },
  ],
  addressBooks: [
    {
      id: 'suppliers',
      network: MAINNET,
      entries: [{ label: 'Carol', address: CAROL }],
    },
  ],
  witnesses: null,
  rules: [permit()],
  ...changes,
});
