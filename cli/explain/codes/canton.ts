import type { CodeArea } from './area.ts';

export const CANTON_CODES: readonly CodeArea[] = [
  {
    title: 'Descriptions of Canton validators',
    who: '`canton plan`, `canton render`, `canton check`',
    next: 'Mend the field that the message names; docs/canton.md has an example.',
    codes: {
      CANTON_DESCRIPTION_CONTRADICTORY:
        'fields of the description contradict each other; fields names them, and why',
      CANTON_DESCRIPTION_MALFORMED:
        'the description is not YAML 1.2 without anchors, or a field is missing, unknown or malformed; fields names them',
      CANTON_KEY_REGION: 'a key is in another Region than its validator uses; keys names it',
      CANTON_KEY_SHARED: [
        'one key is named more than once: two validators would be one for whoever verifies signatures',
        'Give each validator, and each of its purposes, a key of its own.',
      ],
      CANTON_OBJECTS_MALFORMED: [
        'the file is not what `kubectl get … -o json` prints',
        'Give its output as it is: one List, or one object.',
      ],
      CANTON_SERVICE_ACCOUNT_MISSING: [
        'KMS is on for validators that have no ServiceAccount; nothing was rendered',
        'Name a ServiceAccount for each of them, or say kms: false.',
      ],
      CANTON_VALIDATOR_UNKNOWN: 'the description has no validator of that name',
    },
  },
  {
    title: 'What is wrong with a Canton validator in its cluster',
    who: '`canton check`',
    next: 'Do what the finding says below its text; docs/canton.md says more.',
    codes: {
      AUDIT_LOGGING_OFF: 'a production node writes no line about what KMS was asked',
      CONFIG_FIELD_UNKNOWN: 'a field that Canton does not know: it stops the node',
      CONFIG_FIELD_WRONG: 'a value that Canton does not take for its field',
      CONFIG_FROM_SECRET:
        'a fragment comes from a Secret, or from an object that was not given: nothing of it can be judged',
      CONFIG_MOUNT_READ_ONLY:
        'something is mounted where the entry script appends the fragments: the start fails',
      CONFIG_NOT_READ:
        'HOCON that is not read here, such as an include or +=: nothing of the configuration can be judged',
      CONFIG_SUBSTITUTION_UNANSWERED: '${NAME} for which the container has no variable',
      CONFIG_UNPARSABLE: 'a line that is no HOCON: all fragments are one text, and the node refuses it whole',
      CONFIG_URL_UNQUOTED: 'a URL or an ARN without quotes, as a chart prints it: HOCON refuses it',
      CONFIG_VARIABLE_LEFT:
        '$(NAME) that Kubernetes leaves as it is, because no earlier variable has the name',
      CREDENTIALS_ABSENT: 'the Secret with credentials that is described does not reach the participant',
      CREDENTIALS_BESIDE_ROLE: 'an access key in the environment, which the SDK takes before the role',
      CREDENTIALS_INLINE: 'a secret access key stands in a workload or a ConfigMap',
      DOOR_MISSING: 'no door runs in the pod of a participant that asks one there',
      DOOR_WITHOUT_PROBE: 'the door in the pod has no readiness probe, and no probe of Canton sees it',
      ENDPOINT_DIFFERS: 'the endpoint in force is not the one that is described',
      ENDPOINT_EMPTY: 'an empty endpoint, which Canton takes for one',
      ENDPOINT_HTTP: 'an endpoint by http that is not on loopback',
      FRAGMENT_NAME_IGNORED:
        'the name of a variable has a hyphen or a dot: its fragment is left out without a word',
      FRAGMENT_ORDER_NUMERIC: 'fragments numbered so that _10 comes before _2',
      FRAGMENT_OVERRIDDEN: 'a variable that comes later sets the same field to another value',
      IAM_PERMISSION_EXCESSIVE: 'the role may do what Canton never asks for',
      IAM_PERMISSION_MISSING: 'the role may not do what Canton asks for',
      IAM_POLICY_NOT_SEEN: [
        'what the role may do was not judged, because its policy was not given',
        'Give it by --policy NAME=FILE.',
      ],
      IMAGE_BY_TAG: 'the image is named by a tag instead of a digest',
      IMAGE_DIFFERS: 'another image runs than the one that is described',
      IMAGE_UNATTESTED:
        'nothing attests who uses the keys: neither a door nor measurements in the policy of the key',
      KEY_IN_OTHER_REGION: 'a key is in another Region than its validator uses',
      KEY_NAMES_ALIKE:
        'several Splice validators make keys of the same descriptions in one account and Region',
      KEY_OF_TWO_VALIDATORS: 'one key is named for several validators or purposes',
      KMS_FIELD_LEFT_OVER: 'a field of another type of KMS, left over by merging: it stops the node',
      KMS_OFF_HERE: 'KMS is on in the description, and off in the configuration in force',
      KMS_ON_HERE: 'KMS is off in the description, and on in the configuration in force',
      KMS_REGION_DIFFERS: 'the Region in force is not the one of the keys',
      KMS_REGION_MISSING: 'crypto.kms of type aws has no region',
      KMS_TYPE_DIFFERS: 'crypto.kms is of another type than aws',
      KMS_UNPROBED: 'no probe of a participant fails where KMS does not answer',
      KMS_UNUSED: 'crypto.kms without provider = kms: keys stay in the database',
      NODE_NAME_OTHER: 'the fragments configure a participant of another name',
      NON_STANDARD_CONFIG: 'a fragment turns checks of Canton against dangerous settings off',
      PRIVATE_KEY_STORE_IGNORED: 'private-key-store beside provider = kms, where Canton ignores it',
      REPLICAS_SEVERAL: 'several replicas of one participant',
      RETRIES_PARTIAL: 'a block of retries without all of its three fields: it stops the node',
      ROLE_ANNOTATION_DIFFERS: 'the ServiceAccount has another role than the one that is described',
      ROLE_ANNOTATION_MISSING: 'the ServiceAccount has no annotation with the role',
      SECRETS_NOT_SEEN: [
        'whether the Secrets that a pod names are there was not judged, because none was given',
        'Give Secrets to the check: "kubectl get secret -o json".',
      ],
      SECRET_ABSENT: 'a Secret, or an entry of it, to which the workload refers is not there',
      SERVICE_ACCOUNT_ABSENT: 'the ServiceAccount is not among the objects that were given',
      SERVICE_ACCOUNT_DIFFERS: 'the workload runs as another ServiceAccount',
      SESSION_KEYS_OFF: 'without session signing keys each message of the protocol is one signature of KMS',
      SESSION_KEYS_PLACE: 'session signing keys stand below crypto.kms, a place that is deprecated',
      SESSION_KEYS_UNUSED: 'session signing keys without provider = kms',
      SSL_VERIFICATION_OFF: 'disable-ssl-verification: anybody on the way can answer for KMS',
      TOKEN_AUTOMOUNTED: "a token of the cluster's API is in the pod, which nothing in it needs",
      TRUST_STORE_ABSENT: 'the endpoint has a certificate of your own authority, and the JVM no trust store',
      VARIABLES_NOT_SEEN: [
        'a ConfigMap or Secret whose entries are variables of the participant was not given: what it sets was not judged',
        'Give it to the check.',
      ],
      WORKLOAD_ABSENT:
        'the workload of a validator, or the container in it, is not among the objects that were given',
    },
  },
  {
    title: 'HOCON that is read',
    who: '`canton check`, about the fragments of a participant; inside of what it finds',
    next: 'Mend the line that the finding names.',
    codes: {
      HOCON_SYNTAX: 'no HOCON: Canton refuses it, too, and with it everything else in the file',
      HOCON_TOO_LARGE: 'a text is longer, or nested deeper, than its maximum',
      HOCON_UNRESOLVED: 'a substitution for which there is neither a field nor a variable',
      HOCON_UNSUPPORTED: 'HOCON that Canton may take and that is not read here: includes, += and the like',
    },
  },
];
