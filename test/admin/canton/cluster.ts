import { parse } from 'yaml';
import { type Description, renderDescription } from '../../../admin/canton/index.ts';

type Fields = Record<string, unknown>;

/** Values of Splice's chart that are rendered, as far as the chart reads them. */
interface ChartValues {
  readonly serviceAccountName: string;
  readonly automountServiceAccountToken?: boolean;
  readonly kms?: Fields;
  readonly additionalEnvVars: readonly Fields[];
  readonly additionalJvmOptions?: string;
  readonly extraVolumes?: readonly Fields[];
  readonly extraVolumeMounts?: readonly Fields[];
  readonly extraInitContainers?: readonly Fields[];
}

/** List of what a cluster holds once everything that is rendered was applied, as `kubectl get -o json` prints it. */
export function makeObjects(description: Description): { kind: 'List'; items: Fields[] } {
  const files = renderDescription(description);
  const items = description.validators.flatMap(({ name, namespace, workload, image }) => {
    const read = (file: string) => {
      const text = files.get(`${name}/${file}`);
      return text === undefined ? undefined : (parse(text) as unknown);
    };
    const values = read('values.yaml') as ChartValues | undefined;
    const patch = read('workload-patch.yaml') as { spec: Fields } | undefined;
    const plain = {
      template: { spec: { containers: [{ name: workload.container, image: image.reference }] } },
    };
    const spec =
      values === undefined ? (patch?.spec ?? plain) : applyChart(values, workload.container, image.reference);
    const account = read('service-account.yaml') as Fields | undefined;
    return [
      { apiVersion: 'apps/v1', kind: workload.kind, metadata: { name: workload.name, namespace }, spec },
      ...(account === undefined ? [] : [account]),
    ];
  });
  return { kind: 'List', items };
}

/** What Splice's chart makes of values: keys in kebab case, values as they are printed. */
function applyChart(values: ChartValues, container: string, image: string): Fields {
  const kms =
    values.kms === undefined
      ? []
      : [
          {
            name: 'ADDITIONAL_CONFIG_SPLICE_PARTICIPANT_CRYPTO_PROVIDER_KMS',
            value: `canton.participants.participant.crypto {\n  provider = kms\n  kms = {\n${printBare(values.kms)}\n  }\n}\n`,
          },
        ];
  return {
    replicas: 1,
    template: {
      spec: {
        serviceAccountName: values.serviceAccountName,
        automountServiceAccountToken: values.automountServiceAccountToken ?? false,
        containers: [
          {
            name: container,
            image,
            env: [
              { name: 'JAVA_TOOL_OPTIONS', value: values.additionalJvmOptions ?? '' },
              ...kms,
              ...values.additionalEnvVars,
            ],
            volumeMounts: values.extraVolumeMounts ?? [],
          },
        ],
        initContainers: values.extraInitContainers ?? [],
        volumes: values.extraVolumes ?? [],
      },
    },
  };
}

function printBare(values: Fields): string {
  return Object.entries(values)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, value]) => {
      const name = key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      if (typeof value === 'object' && value !== null) return `${name} = {\n${printBare(value as Fields)}\n}`;
      return `${name} = ${String(value)}`;
    })
    .join('\n');
}
