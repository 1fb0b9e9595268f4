import { readFileSync } from 'node:fs';

const INIT = new URL('../../shared/native/init/init.c', import.meta.url);
/** Options that shut the program off from the rest of its machine, which is another one here than in an enclave. */
const OF_THE_MACHINE = /^--(?:permission$|allow-|disable-warning=)/;

/** Reads the options with which the image's init starts Node, as far as they have a meaning outside of an enclave. */
export function readImageOptions(): string[] {
  const [, list = ''] = /NODE_ARGUMENTS\[\] = \{([^}]*)\}/.exec(readFileSync(INIT, 'utf8')) ?? [];
  const options = [...list.matchAll(/"(--[^"]+)"/g)].map(([, option = '']) => option);
  if (options.length === 0) throw new Error("the image's options are not where they were");
  return options.filter((option) => !OF_THE_MACHINE.test(option));
}
