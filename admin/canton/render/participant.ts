import type { IIoK8sApiCoreV1EnvVar as EnvVar } from 'kubernetes-models/v1/EnvVar';
import type { KmsValidator } from '../description.ts';

const TRUST_VOLUME = 'kms-trust-store';
const TRUST_FOLDER = '/etc/kms-trust-store';

/** Credentials of the participant, from a Secret: never their values. */
export function renderCredentials({ credentials }: KmsValidator): EnvVar[] {
  if (credentials === undefined) return [];
  const { secret, accessKeyId, secretAccessKey } = credentials;
  const from = (name: string, key: string) => ({ name, valueFrom: { secretKeyRef: { name: secret, key } } });
  return [from('AWS_ACCESS_KEY_ID', accessKeyId), from('AWS_SECRET_ACCESS_KEY', secretAccessKey)];
}

/** Trust store of the participant's JVM: its volume, its place, and the options that name it. */
export function renderTrustStore({ trustStore }: KmsValidator) {
  if (trustStore === undefined) return undefined;
  const { secret, entry, type } = trustStore;
  return {
    volume: { name: TRUST_VOLUME, secret: { secretName: secret } },
    mount: { name: TRUST_VOLUME, mountPath: TRUST_FOLDER, readOnly: true },
    options: `-Djavax.net.ssl.trustStore=${TRUST_FOLDER}/${entry} -Djavax.net.ssl.trustStoreType=${type}`,
  };
}
