import { type ClusterObjects, joinObjects, parseObjects } from '../../admin/canton/index.ts';
import { type Io, readInput } from '../common/command.ts';
import { inFile } from '../common/in-file.ts';

const MAX_OBJECTS_BYTES = 64 * 1024 * 1024;

export const OBJECTS = {
  type: 'string',
  value: 'FILE',
  multiple: true,
  description:
    'what "kubectl get deploy,statefulset,serviceaccount,configmap,secret -o json" prints; several files count as one',
} as const;

/** Reads files with objects of a cluster. @throws UsageError; CliError INPUT_TOO_LARGE; CantonError */
export async function readObjectsFiles(paths: readonly string[], io: Io): Promise<ClusterObjects> {
  const parts: ClusterObjects[] = [];
  for (const path of paths) {
    const bytes = await readInput(path, io, MAX_OBJECTS_BYTES);
    parts.push(inFile(path, () => parseObjects(bytes)));
  }
  return joinObjects(parts);
}
