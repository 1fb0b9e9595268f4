import type { KmsValidator } from '../description.ts';
import { makeKeys, noteNewKeys, purposesOf, rollOut } from './steps.ts';
import type { PlanStep } from './step.ts';

/** Migration of keys out of a database: its steps, and what it cannot do. */
export interface Migration {
  readonly limits: readonly string[];
  readonly steps: readonly PlanStep[];
}

/**
 * Plans how the keys of a running participant leave its database.
 *
 * Source: Canton 3.5, "Migrate to a KMS"; Splice, "Using an external KMS", which names `move` alone; VaultAdministration
 * and TopologyAdministration of Canton's console.
 */
export function planMigration(validator: KmsValidator): Migration {
  switch (validator.migration) {
    case 'envelope':
      return planEnvelope(validator);
    case 'rotate':
      return planRotation(validator);
    case 'move':
      return planMove(validator);
    default:
      throw new TypeError('a migration of another kind');
  }
}

function planEnvelope(validator: KmsValidator): Migration {
  return {
    limits: [
      'The keys stay in the database, encrypted, and are in the memory of the participant while it runs: KMS keeps them from whoever has the database alone.',
    ],
    steps: [
      backUp(validator),
      ...rollOut(validator),
      {
        title: 'Restart: Canton encrypts each key in its database',
        commands: [
          `kubectl rollout restart ${validator.workload.kind.toLowerCase()}/${validator.workload.name} -n ${validator.namespace}`,
        ],
        check:
          'the log has one Encrypt for each key; the table of private keys names a wrapper key in every row',
        undo: 'private-key-store.encryption.reverted = true, and a restart: Canton decrypts them',
      },
      noteNewKeys(validator),
    ],
  };
}

function planMove(validator: KmsValidator): Migration {
  return {
    limits: [
      'The participant gets a new identity, because the root namespace key, by which it is named, cannot be rotated. This is the way that Canton and Splice support.',
    ],
    steps: [
      backUp(validator),
      {
        title:
          'Describe the new participant as a validator of its own, with keysNow: none, beside the old one',
        commands: ['holdfast canton plan canton.yaml'],
        check: 'the plan of the new one ends with its keys in KMS',
        undo: 'remove it from the description',
      },
      {
        title: 'Move what the old one hosts: packages, parties with their contracts, assets',
        commands: [
          '@ old.dars.list()',
          '@ old.parties.list()',
          '@ old.parties.export_party_acs(...)',
          '@ next.parties.import_party_acs(...)',
        ],
        check:
          'each party is hosted by the new participant (topology.party_to_participant_mappings.list), and as many active contracts are there as were; coins arrived',
        undo: 'the old participant is whole until it is retired: move back',
      },
      {
        title: 'Retire the old one: disconnect it, then delete its keys with its database',
        commands: [
          '@ old.synchronizers.disconnect_all()',
          `kubectl scale ${validator.workload.kind.toLowerCase()}/${validator.workload.name} -n ${validator.namespace} --replicas=0`,
        ],
        check: 'no party is hosted by it alone; a month later nobody has missed it',
        undo: 'scale it to 1 and reconnect, as long as the database is kept',
      },
    ],
  };
}

/** Keys rotated in by topology transactions, under the identity that the participant has. */
function planRotation(validator: KmsValidator): Migration {
  const { name, keys } = validator;
  const purposes = purposesOf(validator);
  const id = (purpose: (typeof purposes)[number]) => keys[purpose]?.id ?? `ID-OF-${purpose.toUpperCase()}`;
  const rest = purposes.filter((purpose) => purpose !== 'namespace');
  return {
    limits: [
      'The root namespace key stays what it is: the participant is named by it, and no command rotates it. It signs one delegation to a key in KMS, and is kept offline from then on.',
      'Neither Canton nor Splice supports this for a participant with provider jce, which cannot register a key of KMS: a second process signs for the new keys. Nobody has run these steps for us: rehearse them on a copy of the database, at a test synchronizer.',
      'What was encrypted for the old key must have been received before: let the participant come to rest.',
    ],
    steps: [
      backUp(validator),
      makeKeys(validator, purposes, 'schedule-key-deletion of the new keys: nothing uses them yet'),
      {
        title: 'Register the new keys in a second participant with provider kms, which is not connected',
        commands: [
          `@ next.keys.secret.register_kms_signing_key("${id('namespace')}", Set(SigningKeyUsage.Namespace), "${name}-namespace")`,
          ...rest.map((purpose) =>
            purpose === 'encryption'
              ? `@ next.keys.secret.register_kms_encryption_key("${id(purpose)}", "${name}-${purpose}")`
              : `@ next.keys.secret.register_kms_signing_key("${id(purpose)}", Set(${purpose === 'signing' ? 'SigningKeyUsage.Protocol' : 'SigningKeyUsage.SequencerAuthentication'}), "${name}-${purpose}")`,
          ),
        ],
        check: `next.keys.public.list() has ${purposes.length} keys, and KMS was asked GetPublicKey as often`,
        undo: 'remove the second participant: nothing knows of the keys',
      },
      {
        title: 'Delegate the namespace to the key in KMS, signed by the root key in the database',
        commands: [
          '@ old.keys.public.upload(next.keys.public.download(NAMESPACE-FINGERPRINT), Some("namespace-kms"))',
          '@ old.topology.namespace_delegations.propose_delegation(old.namespace, NAMESPACE-KEY, CanSignAllMappings)',
        ],
        check: 'old.topology.namespace_delegations.list(...) has it on the synchronizer',
        undo: 'propose_revocation of the delegation, by the root key',
      },
      {
        title: 'Add the new keys to the owner-to-key mapping, beside the old ones',
        commands: [
          '@ old.topology.owner_to_key_mappings.add_keys(NEW-KEYS, signedBy = ..., mustFullyAuthorize = false)',
          '@ next.topology.transactions.sign(PROPOSAL, ...); old.topology.transactions.load(SIGNED, ...)',
        ],
        check: 'owner_to_key_mappings.list names old and new keys; a transaction is confirmed',
        undo: 'remove_keys of the new ones',
      },
      ...rollOut(validator),
      {
        title: 'Take the old keys out of the owner-to-key mapping',
        commands: ['@ participant.topology.owner_to_key_mappings.remove_key(OLD-KEY, ...)'],
        check:
          'the mapping names keys of KMS alone; a transaction of a hosted party is confirmed; set keysNow: kms in the description',
        undo: 'none: from here on, rotate',
      },
      {
        title:
          'Retire the old keys: export the root key to where it is offline, delete the others from the database',
        commands: ['@ participant.keys.secret.delete(OLD-FINGERPRINT)'],
        check: 'keys.secret.list() names keys of KMS alone; the backup of the root key can be read',
        undo: 'restore from the backup of the first step, into a participant that is not connected',
      },
    ],
  };
}

function backUp({ workload, namespace }: KmsValidator): PlanStep {
  return {
    title: 'Back up the database and the identities of the participant',
    commands: [
      `pg_dump of the database of ${workload.name} in ${namespace}`,
      '@ participant.keys.secret.list()',
    ],
    check: 'the backup was restored somewhere else, and has as many keys',
    undo: 'nothing was changed',
  };
}
