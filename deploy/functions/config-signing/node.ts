import type { ConfiguredNode } from '../../../admin/configurations/index.ts';
import { digestManifest, parseManifest } from '../../../shared/documents/manifest.ts';
import { ConfigSigningError } from './errors.ts';

/** What the stack says of its node. */
export interface StackNode {
  readonly namespace: string;
  readonly environment: string;
  readonly node: number;
  readonly keyArn: string;
  readonly signingKeyArn: string;
  readonly bucket: string;
}

/** Reads the variables that the stack gives the function. @throws TypeError where one is missing */
export function readStackNode(environment: Readonly<Record<string, string | undefined>>): StackNode {
  const read = (name: string): string => {
    const value = environment[name];
    if (value === undefined || value === '') throw new TypeError(`${name}: expected in the environment`);
    return value;
  };
  return {
    namespace: read('HOLDFAST_NAMESPACE'),
    environment: read('HOLDFAST_ENVIRONMENT'),
    node: Number(read('HOLDFAST_NODE')),
    keyArn: read('HOLDFAST_KEY_ARN'),
    signingKeyArn: read('HOLDFAST_SIGNING_KEY_ARN'),
    bucket: read('HOLDFAST_BUCKET'),
  };
}

/**
 * Reads the manifest of the bucket, which has to be of the very node and key of the stack.
 *
 * @throws ManifestError MANIFEST_MALFORMED; ConfigSigningError SIGNING_OTHER_NODE
 */
export function readNodeManifest(bytes: Uint8Array, stack: StackNode): ConfiguredNode {
  const manifest = parseManifest(bytes);
  const { namespace, environment, node, kms } = manifest;
  const pairs = [
    ['namespace', stack.namespace, namespace],
    ['environment', stack.environment, environment],
    ['node', stack.node, node],
    ['kms.keyArn', stack.keyArn, kms.keyArn],
  ] as const;
  const other = pairs.find(([, expected, actual]) => expected !== actual);
  if (other === undefined) return { manifest, digest: digestManifest(bytes) };
  const [field, expected, actual] = other;
  throw new ConfigSigningError('SIGNING_OTHER_NODE', 'the manifest in the bucket is of another node', {
    field,
    expected,
    actual,
  });
}
