import fc from 'fast-check';
import { stringify } from 'yaml';
import { ACCOUNTS } from '../../policy/transactions/tezos/samples.ts';
import { GHOSTNET_NAME, MAINNET_NAME } from './requests.ts';

/** Names in Signatory's lists, from `signatory-cli list-ops` and `list-requests`, and former ones. */
export const OPERATIONS = [
  'transaction',
  'reveal',
  'delegation',
  'origination',
  'ballot',
  'ballot:yay',
  'ballot:nay',
  'ballot:pass',
  'proposals',
  'stake',
  'unstake',
  'finalize_unstake',
  'set_delegate_parameters',
  'update_consensus_key',
  'update_companion_key',
  'drain_delegate',
  'set_deposits_limit',
  'increase_paid_storage',
  'register_global_constant',
  'smart_rollup_originate',
  'smart_rollup_add_messages',
  'smart_rollup_execute_outbox_message',
  'smart_rollup_refute',
  'transfer_ticket',
  'dal_publish_commitment',
  'seed_nonce_revelation',
] as const;
const REQUESTS = [
  'generic',
  'block',
  'preattestation',
  'attestation',
  'attestation_with_dal',
  'endorsement',
  'preendorsement',
] as const;
export const CLIENTS = Object.values(ACCOUNTS).map(({ publicKey }) => publicKey);

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const operations = fc.oneof(
  fc.uniqueArray(fc.constantFrom(...OPERATIONS), { maxLength: 3, size: 'max' }),
  fc.subarray([...OPERATIONS]),
);
const clients = fc.oneof(
  fc.subarray([...CLIENTS]),
  fc.constantFrom(...CLIENTS),
  fc.constant([[CLIENTS[0]], []]),
);

const policy = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(null, {}, { allow: {} }, { allow: null }) },
  {
    weight: 6,
    arbitrary: fc.record(
      {
        allow: fc
          .tuple(fc.subarray(REQUESTS.slice(1)), optional(fc.option(operations)))
          .map(([requests, generic]) => ({
            ...Object.fromEntries(requests.map((name) => [name, null])),
            ...(generic === undefined ? {} : { generic }),
          })),
        log_payloads: fc.boolean(),
        allow_proof_of_possession: fc.boolean(),
        allowed_chains: fc.subarray([MAINNET_NAME, GHOSTNET_NAME]),
        authorized_keys: clients,
        jwt_users: fc.constant(['user']),
      },
      { requiredKeys: ['allow'] },
    ),
  },
  {
    weight: 3,
    arbitrary: fc.record(
      {
        allowed_operations: fc.subarray([...REQUESTS]),
        allowed_kinds: operations,
        allow: fc.constantFrom(null, { block: null }),
        allowed_chains: fc.subarray([MAINNET_NAME, GHOSTNET_NAME]),
      },
      { requiredKeys: ['allowed_operations'] },
    ),
  },
);

/** Configurations that Signatory starts with, as values; undefined members are left out. */
export const signatoryFiles = fc
  .record({
    server: optional(
      fc.record(
        {
          address: fc.constantFrom(':6732', '127.0.0.1:6732', 'localhost:1'),
          utility_address: fc.constantFrom(':9583', '127.0.0.1:9583'),
          authentication: fc.oneof(
            { weight: 12, arbitrary: fc.constant({}) },
            { weight: 4, arbitrary: clients.map((keys) => ({ authorized_keys: keys })) },
            {
              weight: 1,
              arbitrary: fc.constant({
                jwt: { users: { user: { password: 'p', secret: 's', jwt_exp: 3 } } },
              }),
            },
          ),
        },
        { requiredKeys: ['authentication'] },
      ),
    ),
    vaults: optional(
      fc.constantFrom(
        { local: { driver: 'file', config: { file: '/etc/secret.json' } } },
        { aws: { driver: 'awskms', config: { region: 'eu-west-1' } }, none: { driver: 'mem' } },
      ),
    ),
    watermark: optional(fc.constantFrom({ driver: 'file' }, { driver: 'aws', config: { table: 'marks' } })),
    base_dir: optional(fc.constant('/var/lib/signatory')),
    policy_hook: fc.oneof(
      { weight: 8, arbitrary: fc.constant(undefined) },
      { weight: 2, arbitrary: fc.constantFrom({ address: 'http://127.0.0.1:1' }, { address: '' }) },
    ),
    tezos: fc.record(Object.fromEntries(Object.values(ACCOUNTS).map(({ address }) => [address, policy])), {
      noNullPrototype: true,
      requiredKeys: [],
    }),
  })
  .map(({ server, ...rest }) => {
    const { authentication, ...listeners } = server ?? { authentication: {} };
    const written = server === undefined ? {} : { server: { ...listeners, ...authentication } };
    return Object.fromEntries(
      Object.entries({ ...written, ...rest }).filter(([, value]) => value !== undefined),
    );
  });

/** Writes a file without YAML's aliases: each value stands where it belongs. */
export const writeYaml = (file: unknown): string => stringify(file, { aliasDuplicateObjects: false });
