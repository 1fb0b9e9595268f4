import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { DeployError } from './errors.ts';
import type { DeploymentSource } from './source.ts';

/** Creates a source that reads a folder on this host. */
export function createFolderSource(folder: string): DeploymentSource {
  return {
    id: undefined,
    async open(name, signal) {
      try {
        const file = await open(join(folder, name), 'r');
        return file.createReadStream({ signal });
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
        throw new DeployError(
          'DEPLOYMENT_SOURCE_UNAVAILABLE',
          'a file cannot be read',
          { folder, name },
          error,
        );
      }
    },
    close: () => undefined,
  };
}
