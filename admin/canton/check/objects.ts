import * as z from 'zod';
import { CantonError } from '../errors.ts';

/** The most objects of one check. */
const MAX_OBJECTS = 10_000;

const references = z.object({ name: z.string(), optional: z.boolean().optional() });
const entry = z.object({ name: z.string(), key: z.string(), optional: z.boolean().optional() });
const variable = z.object({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z.object({ secretKeyRef: entry.optional(), configMapKeyRef: entry.optional() }).optional(),
});
const container = z.object({
  name: z.string(),
  image: z.string().optional(),
  env: z.array(variable).default([]),
  envFrom: z
    .array(
      z.object({
        prefix: z.string().default(''),
        configMapRef: references.optional(),
        secretRef: references.optional(),
      }),
    )
    .default([]),
  volumeMounts: z
    .array(z.object({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().optional() }))
    .default([]),
  restartPolicy: z.string().optional(),
  readinessProbe: z.unknown().optional(),
});
const podSpec = z.object({
  serviceAccountName: z.string().optional(),
  automountServiceAccountToken: z.boolean().optional(),
  containers: z.array(container).default([]),
  initContainers: z.array(container).default([]),
  volumes: z
    .array(
      z.object({
        name: z.string(),
        secret: z.object({ secretName: z.string().optional() }).optional(),
        configMap: z.unknown().optional(),
        projected: z.unknown().optional(),
      }),
    )
    .default([]),
});
const metadata = z.object({
  name: z.string(),
  namespace: z.string().default('default'),
  annotations: z.record(z.string(), z.string()).nullish(),
});
const named = z.object({ kind: z.string(), metadata });
const workload = z.object({
  kind: z.enum(['Deployment', 'StatefulSet']),
  metadata,
  spec: z.object({ replicas: z.int().default(1), template: z.object({ spec: podSpec }) }),
});
const serviceAccount = z.object({
  kind: z.literal('ServiceAccount'),
  metadata,
  automountServiceAccountToken: z.boolean().optional(),
});
const configMap = z.object({
  kind: z.literal('ConfigMap'),
  metadata,
  data: z.record(z.string(), z.string()).default({}),
});
const secret = z.object({
  kind: z.literal('Secret'),
  metadata,
  /** Entries, of which the names alone are looked at. */
  data: z.record(z.string(), z.unknown()).optional(),
});

export type PodContainer = z.infer<typeof container>;
export type PodSpec = z.infer<typeof podSpec>;
export type WorkloadObject = z.infer<typeof workload>;
export type ServiceAccountObject = z.infer<typeof serviceAccount>;

/** Objects of a cluster that a check looks at. A kind of which there is none was not asked for. */
export interface ClusterObjects {
  readonly workloads: readonly WorkloadObject[];
  readonly serviceAccounts: readonly ServiceAccountObject[];
  readonly configMaps: readonly z.infer<typeof configMap>[];
  readonly secrets: readonly z.infer<typeof secret>[];
}

/**
 * Reads what `kubectl get ... -o json` prints: a List, or one object. Objects of other kinds are left out.
 *
 * @throws CantonError CANTON_OBJECTS_MALFORMED
 */
export function parseObjects(bytes: Uint8Array): ClusterObjects {
  const items = listItems(parseJson(bytes));
  if (items.length > MAX_OBJECTS)
    throw new CantonError('CANTON_OBJECTS_MALFORMED', 'more objects than their maximum', {
      maximum: MAX_OBJECTS,
    });
  const kinds = items.map((item, index) => ({ item, index, kind: read(named, item, index).kind }));
  const all = <T>(schema: z.ZodType<T>, ...wanted: string[]) =>
    kinds.flatMap(({ item, index, kind }) => (wanted.includes(kind) ? [read(schema, item, index)] : []));
  return {
    workloads: all(workload, 'Deployment', 'StatefulSet'),
    serviceAccounts: all(serviceAccount, 'ServiceAccount'),
    configMaps: all(configMap, 'ConfigMap'),
    secrets: all(secret, 'Secret'),
  };
}

/** Puts the objects of several files together. */
export function joinObjects(parts: readonly ClusterObjects[]): ClusterObjects {
  return {
    workloads: parts.flatMap(({ workloads }) => workloads),
    serviceAccounts: parts.flatMap(({ serviceAccounts }) => serviceAccounts),
    configMaps: parts.flatMap(({ configMaps }) => configMaps),
    secrets: parts.flatMap(({ secrets }) => secrets),
  };
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch (error) {
    throw new CantonError('CANTON_OBJECTS_MALFORMED', 'expected JSON', {}, error);
  }
}

function listItems(value: unknown): readonly unknown[] {
  const list = z.object({ kind: z.string(), items: z.array(z.unknown()).optional() }).safeParse(value);
  if (!list.success) throw new CantonError('CANTON_OBJECTS_MALFORMED', 'expected an object of Kubernetes');
  return list.data.items ?? [value];
}

function read<T>(schema: z.ZodType<T>, item: unknown, index: number): T {
  const result = schema.safeParse(item);
  if (result.success) return result.data;
  const fields = result.error.issues
    .slice(0, 8)
    .map(({ path, message }) => `items.${index}.${path.join('.')}: ${message}`);
  throw new CantonError('CANTON_OBJECTS_MALFORMED', 'expected an object of Kubernetes', { fields });
}
