import type { KmsValidator, Validator } from '../description.ts';
import { endpointOf } from '../fragments.ts';
import { isLoopback } from '../fields.ts';
import { DOOR_CONTAINER } from '../render/door.ts';
import { ROLE_ANNOTATION } from '../render/manifests.ts';
import type { Report } from './finding.ts';
import type { ClusterObjects, PodContainer, PodSpec, WorkloadObject } from './objects.ts';
import type { Variable } from './variables.ts';

const CONFIG_FILE = '/app/additional-config.conf';

/** What is judged of one validator beside its configuration. */
export interface Running {
  readonly workload: WorkloadObject;
  readonly container: PodContainer;
  readonly variables: ReadonlyMap<string, Variable>;
  readonly objects: ClusterObjects;
}

/** Finds the workload of a validator and the participant in it; what is not there is reported. */
export function findWorkload(
  validator: Validator,
  { workloads }: ClusterObjects,
  report: Report,
): { workload: WorkloadObject; container: PodContainer } | undefined {
  const { kind, name, container: wanted } = validator.workload;
  const path = `${kind}/${name}`;
  const workload = workloads.find(
    (object) =>
      object.kind === kind &&
      object.metadata.name === name &&
      object.metadata.namespace === validator.namespace,
  );
  const container = workload?.spec.template.spec.containers.find((each) => each.name === wanted);
  if (workload !== undefined && container !== undefined) return { workload, container };
  report(
    'WORKLOAD_ABSENT',
    'error',
    path,
    workload === undefined
      ? `none in the namespace ${validator.namespace} of what was given`
      : `has no container ${wanted}`,
    'Give the objects of that namespace, or name the workload in the description.',
  );
  return undefined;
}

/** Judges the pod of a participant whose keys are in KMS. */
export function checkWorkload(
  validator: KmsValidator,
  running: Running,
  isProduction: boolean,
  report: Report,
): void {
  const { workload, container } = running;
  const pod = workload.spec.template.spec;
  const path = `${workload.kind}/${workload.metadata.name}`;
  if (workload.spec.replicas > 1)
    report(
      'REPLICAS_SEVERAL',
      'error',
      path,
      `${workload.spec.replicas} replicas of one participant, which sign with the same keys`,
      'Set replicas: 1.',
    );
  const mount = container.volumeMounts.find(({ mountPath }) => mountPath === CONFIG_FILE);
  if (mount !== undefined)
    report(
      'CONFIG_MOUNT_READ_ONLY',
      'error',
      `${path}: ${mount.name}`,
      `something is mounted at ${CONFIG_FILE}: what the entry script appends fails there, and with it the start`,
      'Hand the fragment in by a variable.',
    );
  checkServiceAccount(validator, running, report);
  checkCredentials(validator, running, report);
  checkImage(validator, container, path, isProduction, report);
  checkDoor(validator, pod, path, report);
  checkTrustStore(validator, running, path, report);
  checkSecrets(running, pod, path, report);
}

function checkServiceAccount(validator: KmsValidator, { workload, objects }: Running, report: Report): void {
  const { serviceAccount, namespace } = validator;
  const pod = workload.spec.template.spec;
  const path = `ServiceAccount/${serviceAccount.name}`;
  const used = pod.serviceAccountName ?? 'default';
  if (used !== serviceAccount.name)
    report(
      'SERVICE_ACCOUNT_DIFFERS',
      'error',
      `${workload.kind}/${workload.metadata.name}`,
      `runs as ${used}, expected ${serviceAccount.name}`,
      'Set serviceAccountName.',
    );
  const object = objects.serviceAccounts.find(
    ({ metadata }) => metadata.name === serviceAccount.name && metadata.namespace === namespace,
  );
  const mounts = pod.automountServiceAccountToken ?? object?.automountServiceAccountToken ?? true;
  if (mounts)
    report(
      'TOKEN_AUTOMOUNTED',
      'warning',
      `${workload.kind}/${workload.metadata.name}`,
      "a token of the cluster's own API is in the pod, which neither Canton nor the role of AWS needs",
      'Set automountServiceAccountToken: false.',
    );
  if (object === undefined) {
    report(
      'SERVICE_ACCOUNT_ABSENT',
      'error',
      path,
      `is not among what was given of ${namespace}`,
      'Apply service-account.yaml; give ServiceAccounts to the check.',
    );
    return;
  }
  const role = object.metadata.annotations?.[ROLE_ANNOTATION];
  if (role === serviceAccount.roleArn) return;
  if (role === undefined)
    report(
      'ROLE_ANNOTATION_MISSING',
      'error',
      path,
      `has no annotation ${ROLE_ANNOTATION}: the participant has no role`,
      'Apply service-account.yaml.',
    );
  else
    report(
      'ROLE_ANNOTATION_DIFFERS',
      'error',
      path,
      `has the role ${role}, expected ${serviceAccount.roleArn ?? 'none'}`,
      'Apply service-account.yaml.',
    );
}

function checkCredentials(validator: KmsValidator, { container, variables }: Running, report: Report): void {
  const { credentials, serviceAccount } = validator;
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN']) {
    const variable = variables.get(name);
    const path = `${container.name}: ${name}`;
    if (variable !== undefined && variable.from !== 'secret' && name !== 'AWS_ACCESS_KEY_ID')
      report(
        'CREDENTIALS_INLINE',
        'error',
        path,
        'a credential stands in the workload, or in a ConfigMap',
        'Put it in a Secret, and take a new one.',
      );
    if (variable !== undefined && serviceAccount.roleArn !== undefined)
      report(
        'CREDENTIALS_BESIDE_ROLE',
        'error',
        path,
        'the SDK takes the access key of the environment before the role',
        'Take the variable out.',
      );
    if (variable === undefined && credentials !== undefined && name !== 'AWS_SESSION_TOKEN')
      report(
        'CREDENTIALS_ABSENT',
        'error',
        path,
        `nothing of the Secret ${credentials.secret} reaches the participant`,
        'Roll out what canton render writes.',
      );
  }
}

function checkImage(
  validator: KmsValidator,
  container: PodContainer,
  path: string,
  isProduction: boolean,
  report: Report,
): void {
  const { reference, attested } = validator.image;
  const found = container.image ?? '';
  const digest = (image: string) => /@sha256:[0-9a-f]{64}$/.exec(image)?.[0];
  const isSame = digest(reference) === undefined ? found === reference : digest(found) === digest(reference);
  if (!isSame)
    report(
      'IMAGE_DIFFERS',
      'error',
      path,
      `runs ${found}, expected ${reference}`,
      'Roll out the image that was looked at, or describe the new one.',
    );
  else if (digest(found) === undefined)
    report(
      'IMAGE_BY_TAG',
      isProduction ? 'warning' : 'note',
      path,
      'the image is named by a tag, which can be another image tomorrow',
      'Name its digest.',
    );
  if (attested === 'no')
    report(
      'IMAGE_UNATTESTED',
      isProduction ? 'error' : 'warning',
      path,
      'nothing attests who uses the keys: whoever has the credentials signs',
      'Use a door, or measurements in the policy of the key.',
    );
}

function checkDoor({ provider }: KmsValidator, pod: PodSpec, path: string, report: Report): void {
  if (provider.type === 'aws') {
    report(
      'KMS_UNPROBED',
      'note',
      path,
      'no probe of the participant fails where KMS does not answer',
      'Watch the log for failed KMS operations.',
    );
    return;
  }
  if (provider.sidecar === undefined) return;
  const all = [
    ...pod.initContainers.filter(({ restartPolicy }) => restartPolicy === 'Always'),
    ...pod.containers,
  ];
  const door = all.find(({ name, image }) => name === DOOR_CONTAINER || image === provider.sidecar?.image);
  if (door === undefined)
    report(
      'DOOR_MISSING',
      'error',
      path,
      'no door runs beside the participant',
      'Roll out what canton render writes.',
    );
  else if (door.readinessProbe === undefined)
    report(
      'DOOR_WITHOUT_PROBE',
      'warning',
      `${path}: ${door.name}`,
      'the pod counts as ready while its door is not, and nothing else looks',
      'Give the door the readiness probe that canton render writes.',
    );
  else if (door.image !== provider.sidecar.image)
    report(
      'IMAGE_DIFFERS',
      'error',
      `${path}: ${door.name}`,
      `runs ${door.image ?? 'nothing'}, expected ${provider.sidecar.image}`,
      'Roll out the image that was looked at.',
    );
}

function checkTrustStore(
  validator: KmsValidator,
  { variables }: Running,
  path: string,
  report: Report,
): void {
  const endpoint = endpointOf(validator);
  const isPrivate =
    endpoint !== undefined && validator.provider.type === 'door' && !isLoopback(new URL(endpoint).hostname);
  if (!isPrivate && validator.trustStore === undefined) return;
  const options = [...variables.values()].filter(({ name }) =>
    ['JAVA_TOOL_OPTIONS', 'JDK_JAVA_OPTIONS', '_JAVA_OPTIONS'].includes(name),
  );
  if (options.some(({ text }) => text?.includes('-Djavax.net.ssl.trustStore=') ?? true)) return;
  report(
    'TRUST_STORE_ABSENT',
    'warning',
    path,
    'the JVM trusts public authorities alone, and the endpoint is one of your own',
    'Name a trustStore in the description, and roll it out.',
  );
}

/** Judges references to Secrets, where Secrets of the namespace were given. */
function checkSecrets(
  { workload, container, objects }: Running,
  pod: PodSpec,
  path: string,
  report: Report,
): void {
  const { namespace } = workload.metadata;
  const secrets = objects.secrets.filter(({ metadata }) => metadata.namespace === namespace);
  const wanted = [
    ...container.env.flatMap(({ valueFrom }) => {
      const reference = valueFrom?.secretKeyRef;
      return reference === undefined || reference.optional === true ? [] : [reference];
    }),
    ...pod.volumes.flatMap(({ secret }) =>
      secret?.secretName === undefined ? [] : [{ name: secret.secretName, key: undefined }],
    ),
  ];
  if (secrets.length === 0 && wanted.length > 0)
    report(
      'SECRETS_NOT_SEEN',
      'note',
      path,
      `whether ${wanted.map(({ name }) => name).join(', ')} and their entries are there was not judged: no Secret was given`,
      'Give Secrets to the check; their names and those of their entries are enough.',
    );
  if (secrets.length === 0) return;
  for (const { name, key } of wanted) {
    const found = secrets.find(({ metadata }) => metadata.name === name);
    const hasKey = key === undefined || found?.data === undefined || Object.hasOwn(found.data, key);
    if (found === undefined || !hasKey)
      report(
        'SECRET_ABSENT',
        'error',
        path,
        `the Secret ${name}${key === undefined ? '' : `, entry ${key},`} is not there: the pod does not start`,
        'Make it.',
      );
  }
}
