import type { KmsValidator } from '../description.ts';
import { endpointOf } from '../fragments.ts';
import { KEY_PURPOSES, type KeyPurpose } from '../schema.ts';
import type { PlanStep } from './step.ts';

const CREATE: Readonly<Record<KeyPurpose, string>> = {
  namespace: '--key-spec ECC_NIST_P256 --key-usage SIGN_VERIFY',
  signing: '--key-spec ECC_NIST_P256 --key-usage SIGN_VERIFY',
  encryption: '--key-spec RSA_2048 --key-usage ENCRYPT_DECRYPT',
  'sequencer-auth': '--key-spec ECC_NIST_P256 --key-usage SIGN_VERIFY',
};

/** Purposes of the keys that a validator has: three of a Splice validator, four of a plain participant. */
export function purposesOf({ kind }: Pick<KmsValidator, 'kind'>): readonly KeyPurpose[] {
  return kind === 'splice' ? KEY_PURPOSES.filter((purpose) => purpose !== 'sequencer-auth') : KEY_PURPOSES;
}

/** Steps after which a validator runs with what `canton render` has written. */
export function rollOut(validator: KmsValidator): PlanStep[] {
  const { name, namespace, kind, workload, provider, serviceAccount } = validator;
  const target = `${workload.kind.toLowerCase()}/${workload.name} -n ${namespace}`;
  const iam: PlanStep[] =
    serviceAccount.roleArn === undefined
      ? []
      : [
          {
            title: `Attach the policy to the role ${serviceAccount.roleArn}`,
            commands: [
              `aws iam put-role-policy --role-name ${serviceAccount.roleArn.replace(/^.*\//, '')} --policy-name canton-kms --policy-document file://rendered/${name}/iam-policy.json`,
            ],
            check: `holdfast canton check canton.yaml ... --policy ${name}=rendered/${name}/iam-policy.json finds no IAM_PERMISSION_MISSING`,
            undo: 'aws iam delete-role-policy with the same names',
          },
        ];
  const door: PlanStep[] =
    provider.type === 'door'
      ? [
          {
            title: `Have the door's credentials and files in their Secrets, and the door answer at ${endpointOf(validator) ?? ''}`,
            commands: [`kubectl get secret -n ${namespace}`],
            check: 'the door is ready: it has verified a node, and its pool lets this client make keys',
            undo: 'delete the Secrets',
          },
        ]
      : [];
  return [
    {
      title: 'Render',
      commands: ['holdfast canton render canton.yaml --output rendered'],
      check: `rendered/${name} has service-account.yaml and ${kind === 'splice' ? 'values.yaml' : 'workload-patch.yaml'}`,
      undo: 'remove the folder',
    },
    ...iam,
    ...door,
    {
      title: 'Apply ServiceAccount and configuration',
      commands: [
        `kubectl apply -f rendered/${name}/service-account.yaml`,
        kind === 'splice'
          ? `helm upgrade --install ${workload.name} ... -n ${namespace} --reuse-values -f rendered/${name}/values.yaml`
          : `kubectl patch ${target} --patch-file rendered/${name}/workload-patch.yaml`,
      ],
      check: `kubectl rollout status ${target}; holdfast canton check finds no error for ${name}`,
      undo: `kubectl rollout undo ${target}: only as long as no key of the new place is in use`,
    },
  ];
}

/** Steps of a validator that has no keys yet: Canton makes them at its first start. */
export function noteNewKeys(validator: KmsValidator): PlanStep {
  if (validator.mode === 'envelope') {
    return {
      title: 'Start the participant, which makes its wrapper key, and note its id',
      commands: ['@ participant.keys.secret.get_wrapper_key_id()'],
      check: 'the id is in wrapperKey of the description, and keysNow is kms',
      undo: 'set reverted = true and restart: Canton decrypts its keys into the database',
    };
  }
  const missing = purposesOf(validator).filter((purpose) => validator.keys[purpose] === undefined);
  return {
    title: `Start the participant, which makes its keys (${missing.join(', ')}), and note their ids`,
    commands: ['@ participant.keys.secret.list()'],
    check: `there are ${purposesOf(validator).length} keys; encryption is RSA_2048, the others are ECC_NIST_P256; their ids are in the description, and keysNow is kms`,
    undo: 'none is needed before a party is hosted: remove the database, and schedule the deletion of the keys',
  };
}

/** Steps that make keys ahead of their use. */
export function makeKeys(
  validator: KmsValidator,
  purposes: readonly KeyPurpose[],
  command: string,
): PlanStep {
  const endpoint = endpointOf(validator);
  return {
    title: `Make keys in KMS: ${purposes.join(', ')}`,
    commands: purposes.map(
      (purpose) =>
        `aws kms create-key ${CREATE[purpose]} --description ${validator.name}-${purpose} --tags TagKey=CreatedBy,TagValue=Canton --region ${validator.provider.region}${endpoint === undefined ? '' : ` --endpoint-url ${endpoint}`}`,
    ),
    check: 'aws kms describe-key says Enabled for each; the ids are in the description',
    undo: command,
  };
}

/** Steps that rotate keys which are in KMS. */
export function rotate(validator: KmsValidator): PlanStep[] {
  const purposes = KEY_PURPOSES.filter((purpose) => validator.rotateTo[purpose] !== undefined);
  return purposes.flatMap((purpose): PlanStep[] => {
    const next = validator.rotateTo[purpose]?.id ?? '';
    const former = validator.keys[purpose]?.id ?? 'the former key';
    return [
      {
        title: `Rotate ${purpose} to ${next}`,
        commands: [
          '@ val key = participant.keys.secret.list().find(_.kmsKeyId.map(_.unwrap).contains("' +
            former +
            '")).get.publicKey.fingerprint.unwrap',
          `@ participant.keys.secret.rotate_kms_node_key(key, "${next}", "${validator.name}-${purpose}")`,
          '@ participant.topology.synchronisation.await_idle()',
        ],
        check: `owner_to_key_mappings.list names the fingerprint of ${next} and no longer that of ${former}; a transaction of a hosted party is confirmed`,
        undo: `rotate_kms_node_key back to ${former}, as long as that is enabled`,
      },
      {
        title: `Retire ${former}`,
        commands: [
          `aws kms disable-key --key-id ${former}`,
          `aws kms schedule-key-deletion --key-id ${former} --pending-window-in-days 30`,
        ],
        check:
          'a week after disabling, no KMSInvalidStateException or DisabledException is in the log; then order the deletion. Canton deletes nothing when it rotates',
        undo: 'cancel-key-deletion and enable-key, within the 30 days',
      },
    ];
  });
}
