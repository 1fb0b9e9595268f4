import type { ClusterObjects, PodContainer } from './objects.ts';

/** Variable of a container. Its text is undefined where a Secret, or an object that was not given, holds it. */
export interface Variable {
  readonly name: string;
  readonly text: string | undefined;
  readonly from: 'value' | 'secret' | 'configMap' | 'field';
  /** Names in `$(NAME)` that Kubernetes leaves as they are, because no earlier variable has them. */
  readonly left: readonly string[];
}

/**
 * Variables of a container as its process gets them: later ones replace earlier ones, and `$(NAME)` is expanded from
 * those before.
 *
 * Source: Kubernetes, "Define Dependent Environment Variables"; expansion.Expand.
 */
export function readVariables(
  { env, envFrom }: PodContainer,
  namespace: string,
  objects: ClusterObjects,
): ReadonlyMap<string, Variable> {
  const found = new Map<string, Variable>();
  const configMap = (name: string) =>
    objects.configMaps.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace)
      ?.data;
  for (const { prefix, configMapRef, secretRef } of envFrom) {
    for (const [key, text] of Object.entries((configMapRef && configMap(configMapRef.name)) ?? {}))
      found.set(prefix + key, { name: prefix + key, text, from: 'configMap', left: [] });
    const secret = objects.secrets.find(
      ({ metadata }) => metadata.name === secretRef?.name && metadata.namespace === namespace,
    );
    for (const key of Object.keys(secret?.data ?? {}))
      found.set(prefix + key, { name: prefix + key, text: undefined, from: 'secret', left: [] });
  }
  for (const { name, value = '', valueFrom } of env) {
    if (valueFrom === undefined) {
      found.set(name, { name, from: 'value', ...expand(value, found) });
    } else if (valueFrom.configMapKeyRef !== undefined) {
      const { name: map, key } = valueFrom.configMapKeyRef;
      found.set(name, { name, text: configMap(map)?.[key], from: 'configMap', left: [] });
    } else {
      const from = valueFrom.secretKeyRef === undefined ? 'field' : 'secret';
      found.set(name, { name, text: undefined, from, left: [] });
    }
  }
  return found;
}

function expand(value: string, before: ReadonlyMap<string, Variable>): Pick<Variable, 'text' | 'left'> {
  const left: string[] = [];
  let isHidden = false;
  const text = value.replaceAll(/\$(\$|\(([^)]*)\))/g, (whole, escaped: string, name: string | undefined) => {
    if (escaped === '$') return '$';
    const variable = name === undefined ? undefined : before.get(name);
    if (variable === undefined) {
      left.push(name ?? '');
      return whole;
    }
    isHidden ||= variable.text === undefined;
    return variable.text ?? '';
  });
  return { text: isHidden ? undefined : text, left };
}
