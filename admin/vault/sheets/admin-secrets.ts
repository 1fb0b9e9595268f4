import { walletSecretsOf } from '../derive/gateways.ts';
import { databaseOf, PART_SECRETS } from '../derive/part-secrets.ts';
import type { VaultDocument } from '../document.ts';
import { postgresOf } from '../parts.ts';
import type { Procedure } from './procedure.ts';
import { titleOf } from './sheet-role.ts';

/** What the administrator of the database runs, as the second command writes it. */
const ROLES_FILE = 'populate/postgres.sql';
/** Authorities that vouch for the database server, beside the sheets of infrastructure. */
export const POSTGRES_CA_NAME = 'infrastructure/postgres-ca.pem';
const CA_FILE = `sheets/${POSTGRES_CA_NAME}`;

/** Derives what infrastructure does before stage 2 of a vault whose parts have secrets; nothing for one without. */
export function secretsProcedures(document: VaultDocument): readonly Procedure[] {
  const { nats, gateways } = document.parts;
  const postgres = postgresOf(document.parts);
  const hasDoorSecrets = gateways.some((gateway) => walletSecretsOf(gateway).length > 0);
  if (postgres === null && nats === null && !hasDoorSecrets) return [];
  const { account } = document.infrastructure;
  const numbers = document.nodes.map(({ node }) => node);
  return [
    {
      name: 'secrets',
      title: titleOf(document, 'secrets of the optional parts, run sheet', 'infrastructure'),
      before: [
        `Between stage 1 and stage 2 of your run sheet: hosts read these secrets when they start. Credentials of one of your roles in account ${account}.`,
        ...(nats === null
          ? []
          : [
              `NATS servers that run as docs/peers.md says, and a certificate with its key for each node (${numbers.map(PART_SECRETS.natsIdentity).join(', ')}). Their users are named by those certificates.`,
            ]),
        ...(postgres === null
          ? []
          : [`A PostgreSQL server, 13 or later, at ${postgres.host}:${postgres.port}, that speaks TLS.`]),
      ],
      steps: [
        {
          title: 'See which secrets there are, and say where each value comes from',
          command: 'holdfast vault populate --vault vault.yaml --partition wallet --template',
          expect:
            'What a file of sources holds, with what each secret is. Make the folder populate/, save this as populate/wallet.yaml, for you alone, and fill it in: it holds no value.',
          otherwise:
            'POPULATE_PARTITION_UNKNOWN: "known" names the partitions of this vault.yaml; another name is a slip, or this is the file of another vault.',
        },
        {
          title: 'Put the secrets where their readers look for them',
          command: `holdfast vault populate --vault vault.yaml --partition wallet${postgres === null ? '' : ` --postgres ${ROLES_FILE}`}`,
          expect: `A plan with a line for each secret, a question, and "done, and read back"${postgres === null ? '' : `, and ${ROLES_FILE}`}. A second run changes nothing.`,
          otherwise:
            'POPULATE_VALUE_UNFIT: the value is not what its use needs. SECRET_EXISTS: another value is there; --rotate NAME alone replaces it.',
          ...(postgres === null
            ? {}
            : {
                handover: `Give ${ROLES_FILE} and ${CA_FILE} to the administrator of the database, who reads it first: it makes a role and a database of each node (${numbers.map((node) => databaseOf(document, node)).join(', ')}), which nobody else may connect to. No password stands in it.`,
              }),
        },
        ...(postgres === null
          ? []
          : [
              {
                title: 'The administrator of the database: roles and databases of the nodes, before stage 2',
                command: `psql "host=${postgres.host} port=${postgres.port} dbname=postgres user=ADMIN sslmode=verify-full sslrootcert=${CA_FILE}" -f ${ROLES_FILE}`,
                expect:
                  'No error, and little else. The name of the administrator stands in place of ADMIN. A second run changes nothing; after a rotation it brings the new password.',
                otherwise:
                  'The first error ends it, and what was made before stays: mend the cause, and run it again. "is not owned by": a database of that name is there already, of somebody else.',
              },
            ]),
      ],
      afterwards: [
        ...(postgres === null
          ? []
          : [`Delete ${ROLES_FILE}: the next run of the second command makes it anew.`]),
        'The role of each host may read the secrets of its own node and no others: stage 2 gives it that right.',
        ...(gateways.length === 0
          ? []
          : [
              'Whoever runs a client runs its door, by the sheets in gateways/, under a role that may read the secrets of that door.',
            ]),
      ],
    },
  ];
}
