import { appendFileSync } from 'node:fs';
import { relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import type { SerializedError } from 'vitest';
import type { Reporter, TestCase, TestModule, TestSuite } from 'vitest/node';

/** Most lines of an error that are kept: its message and the first places it came through. */
const LINES = 25;

/** Words of an error, without colours. */
function describeError({ name, message, stack }: SerializedError): string {
  const words =
    stack !== undefined && stack.includes(message) ? stack : `${name ?? 'Error'}: ${message}\n${stack ?? ''}`;
  return stripVTControlCharacters(words)
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.includes('/node_modules/'))
    .slice(0, LINES)
    .map((line) => `    ${line}`)
    .join('\n');
}

/**
 * Appends what failed in a run to a file, and what errors nobody caught, so that they can be said again at the end of
 * several runs: whoever has only the last lines of a log learns what to mend. The file stays as it was where nothing failed.
 */
export class FailuresReporter implements Reporter {
  readonly #path: string;

  /** @param path of the file, which is made where there is none */
  constructor(path: string) {
    this.#path = path;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const failures = modules.flatMap((module) => {
      const place = `${module.project.name} ${relative(process.cwd(), module.moduleId)}`;
      const say = (name: string, errors: readonly SerializedError[]) =>
        [`FAIL ${name}`, ...errors.map(describeError)].join('\n');
      const parts: (TestCase | TestSuite)[] = [
        ...module.children.allSuites(),
        ...module.children.allTests('failed'),
      ];
      return [
        ...(module.errors().length > 0 ? [say(place, module.errors())] : []),
        ...parts.flatMap((part) => {
          const errors = part.type === 'test' ? (part.result().errors ?? []) : part.errors();
          return errors.length > 0 ? [say(`${place} > ${part.fullName}`, errors)] : [];
        }),
      ];
    });
    const uncaught = unhandled.map((error) => `UNCAUGHT\n${describeError(error)}`);
    const said = [...failures, ...uncaught];
    if (said.length > 0) appendFileSync(this.#path, `${said.join('\n\n')}\n\n`);
  }
}
