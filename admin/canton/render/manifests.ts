import type { IIoK8sApiCoreV1PodSpec as PodSpec } from 'kubernetes-models/v1/PodSpec';
import type { IServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import type { KmsValidator } from '../description.ts';
import { fragmentsOf } from '../fragments.ts';
import { renderDoor } from './door.ts';
import { renderCredentials, renderTrustStore } from './participant.ts';

/** Annotation by which EKS gives a pod the credentials of a role (IRSA). */
export const ROLE_ANNOTATION = 'eks.amazonaws.com/role-arn';

/** Renders the ServiceAccount of a participant, with its role where AWS itself is asked. */
export function renderServiceAccount({ serviceAccount, namespace }: KmsValidator): IServiceAccount {
  const { name, roleArn } = serviceAccount;
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: {
      name,
      namespace,
      ...(roleArn === undefined ? {} : { annotations: { [ROLE_ANNOTATION]: roleArn } }),
    },
    automountServiceAccountToken: false,
  };
}

/** Strategic merge patch of a workload: `kubectl patch --patch-file`, or a patch of kustomize. */
export interface WorkloadPatch {
  readonly apiVersion: 'apps/v1';
  readonly kind: 'Deployment' | 'StatefulSet';
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: { readonly replicas: 1; readonly template: { readonly spec: PodSpec } };
}

/** Renders what a workload that no chart of Splice's makes has to get: variables, ServiceAccount, door. */
export function renderWorkloadPatch(validator: KmsValidator): WorkloadPatch {
  const { workload, namespace, serviceAccount } = validator;
  const door = renderDoor(validator);
  const trust = renderTrustStore(validator);
  const volumes = [door?.volume, trust?.volume].filter((volume) => volume !== undefined);
  const variables = fragmentsOf(validator).map(({ variable, text }) => ({ name: variable, value: text }));
  // The launcher of a JDK reads this variable beside the JAVA_TOOL_OPTIONS that the workload may set itself.
  const jvm = trust === undefined ? [] : [{ name: 'JDK_JAVA_OPTIONS', value: trust.options }];
  return {
    apiVersion: 'apps/v1',
    kind: workload.kind,
    metadata: { name: workload.name, namespace },
    spec: {
      replicas: 1,
      template: {
        spec: {
          serviceAccountName: serviceAccount.name,
          automountServiceAccountToken: false,
          ...(door === undefined ? {} : { initContainers: [door.container] }),
          containers: [
            {
              name: workload.container,
              image: validator.image.reference,
              env: [...variables, ...renderCredentials(validator), ...jvm],
              ...(trust === undefined ? {} : { volumeMounts: [trust.mount] }),
            },
          ],
          ...(volumes.length === 0 ? {} : { volumes }),
        },
      },
    },
  };
}
