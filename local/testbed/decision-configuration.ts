import { join } from 'node:path';
import type { PermitRule, Witnesses } from '../../shared/documents/configuration.ts';
import { CONFIGURATION_FORMAT_1, CONFIGURATION_FORMAT_2 } from '../../shared/documents/configuration.ts';
import { upgradeConfiguration } from '../../shared/documents/configuration/upgrade.ts';
import { type Identity, loadIdentity } from './identity.ts';
import type { Scenario } from './scenario.ts';
import type { ConfigurationBody, ConfigurationBody2 } from './test-node.ts';

/** Ethereum's mainnet (CAIP-2), and ether on it (CAIP-19). */
const MAINNET = 'eip155:1';
const ETHER = `${MAINNET}/slip44:60`;
export const WEI = 10n ** 18n;

/** Key whose transactions are decided. */
export const DECIDED_KEY = 'ethereum-hot';
/** Id of the rule that says what may be paid. */
export const PAYMENT_RULE = 'pay-suppliers';
/** Address that the rule's address book names, and its label: test case of EIP-55. */
export const SUPPLIER = { label: 'Supplier A', address: '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed' };
/** Address that no address book names: test case of EIP-55. */
export const STRANGER = '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359';
/** Ids of the people who may approve. */
export const APPROVERS = ['treasurer-1', 'treasurer-2'] as const;

/** Makes the key files of the approvers, or finds them again. */
export function loadApprovers(directory: string): Promise<readonly Identity[]> {
  return Promise.all(APPROVERS.map((id) => loadIdentity(join(directory, `${id}.pem`), 'ed25519')));
}

/** Rule of the demonstration: up to 1 ether to suppliers alone, up to 10 with two approvals, 20 in a day. */
function paymentRule(client: string): PermitRule {
  return {
    id: PAYMENT_RULE,
    effect: 'permit',
    operations: ['sign'],
    clients: [client],
    keys: [DECIDED_KEY],
    algorithms: ['ecdsa-secp256k1'],
    payloads: ['ethereum-transaction'],
    networks: [MAINNET],
    time: null,
    effects: [
      {
        type: 'transfer',
        to: { books: ['suppliers'], addresses: [] },
        assets: [ETHER],
        contracts: null,
        amount: null,
      },
    ],
    features: [],
    fee: { asset: ETHER, max: String(WEI / 100n), maxShareBasisPoints: null },
    gas: null,
    nonce: null,
    limits: [{ id: 'daily', asset: ETHER, max: String(20n * WEI), seconds: 86_400, per: 'rule', fees: true }],
    approvals: null,
    tiers: [
      {
        asset: ETHER,
        steps: [
          { max: String(WEI), approvals: null },
          {
            max: String(10n * WEI),
            approvals: { all: [{ group: 'treasury', count: 2 }], expiresSeconds: 3600 },
          },
        ],
      },
    ],
    rate: null,
  };
}

/**
 * Reads a configuration in format 2, and has transactions of the Ethereum key decided by what they do: no digest of it is
 * signed blind any more. Other keys sign as before.
 */
export function decideTransactions(
  base: ConfigurationBody,
  { client, approvers, witnesses }: DecisionPeople,
): ConfigurationBody2 {
  const { manifest: _, ...body } = upgradeConfiguration({
    format: CONFIGURATION_FORMAT_1,
    manifest: '',
    ...base,
  });
  return {
    ...body,
    format: CONFIGURATION_FORMAT_2,
    keys: body.keys.map((key) => (key.id === DECIDED_KEY ? { ...key, networks: [MAINNET] } : key)),
    approvers: approvers.map(({ publicKey }, index) => ({
      id: APPROVERS[index] ?? '',
      credentials: [{ type: 'ed25519', publicKey }],
    })),
    approverGroups: [{ id: 'treasury', approvers: [...APPROVERS] }],
    addressBooks: [{ id: 'suppliers', network: MAINNET, entries: [SUPPLIER] }],
    witnesses,
    rules: [...body.rules.filter(({ keys }) => !keys.includes(DECIDED_KEY)), paymentRule(client)],
  };
}

/** Makes the scenario's configuration in format 2. */
export function decisionConfiguration(
  scenario: Scenario,
  version: number,
  people: DecisionPeople,
): ConfigurationBody2 {
  return decideTransactions(scenario.configuration(version), people);
}

/** Who asks, who consents, and who witnesses the log. */
export interface DecisionPeople {
  readonly client: string;
  readonly approvers: readonly Identity[];
  readonly witnesses: Witnesses | null;
}
