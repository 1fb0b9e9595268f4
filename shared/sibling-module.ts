import { extname } from 'node:path';

/**
 * Makes the URL of a module beside its caller, to start a thread or process with: TypeScript in a working copy,
 * JavaScript in the package that others install.
 *
 * @param caller the caller's `import.meta.url`
 * @param name of the module, without extension
 */
export function siblingModule(caller: string, name: string): URL {
  return new URL(`./${name}${extname(caller)}`, caller);
}
