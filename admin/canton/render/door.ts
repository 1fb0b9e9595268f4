import type { IIoK8sApiCoreV1Container as Container } from 'kubernetes-models/v1/Container';
import type { KmsValidator } from '../description.ts';

/** Name of the door's container, and of the volume with its files. */
export const DOOR_CONTAINER = 'holdfast-door';
const DOOR_VOLUME = 'holdfast-door';
const FOLDER = '/etc/holdfast/gateway';
const CONFIG = `${FOLDER}/gateway.yaml`;

/** Secret volume as Splice's chart takes it in `extraVolumes`: no other kind, and no selection of entries. */
interface SecretVolume {
  readonly name: string;
  readonly secret: { readonly secretName: string };
}

/**
 * Renders the door beside a participant as a sidecar of Kubernetes: an init container that keeps running. The
 * participant starts once the door has verified a node, and the pod is ready only while the door is, which no probe of
 * Canton's would tell. The probe is a command in the container, because a door on loopback has no port for the kubelet.
 */
export function renderDoor({
  provider,
}: KmsValidator): { container: Container; volume: SecretVolume } | undefined {
  if (provider.type !== 'door' || provider.sidecar === undefined) return undefined;
  const { image, secret } = provider.sidecar;
  const exec = { command: ['holdfast', 'gateway', 'status', '--config', CONFIG] };
  return {
    container: {
      name: DOOR_CONTAINER,
      image,
      restartPolicy: 'Always',
      command: ['holdfast', 'gateway', 'kms', '--config', CONFIG],
      startupProbe: { exec, periodSeconds: 2, failureThreshold: 150, timeoutSeconds: 5 },
      readinessProbe: { exec, periodSeconds: 5, failureThreshold: 2, timeoutSeconds: 5 },
      resources: { requests: { cpu: '50m', memory: '96Mi' }, limits: { memory: '256Mi' } },
      securityContext: {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
        readOnlyRootFilesystem: true,
        runAsNonRoot: true,
      },
      volumeMounts: [{ name: DOOR_VOLUME, mountPath: FOLDER, readOnly: true }],
    },
    volume: { name: DOOR_VOLUME, secret: { secretName: secret } },
  };
}
