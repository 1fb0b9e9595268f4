import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { readConsoleTemplate, readTemplate } from '../../../deploy/index.ts';
import { findMadeOrSay } from '../../support/find-made.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const run = promisify(execFile);
const MINUTES = 60_000;
const linters = findMadeOrSay('templates were shown to neither cfn-lint nor checkov', 'deploy-linters.sh');

const texts: Readonly<Record<string, string>> = {
  'node.yaml': await readTemplate('node'),
  'node-console.yaml': await readConsoleTemplate(),
  'infrastructure-1.yaml': await readTemplate('infrastructure'),
  'infrastructure-5.yaml': await readTemplate('infrastructure', { nodes: 5 }),
  'host.yaml': await readTemplate('host'),
};

async function writeAll(changed: Readonly<Record<string, string>> = texts): Promise<string> {
  const folder = temporaryFolder();
  await Promise.all(Object.entries(changed).map(([name, text]) => writeFile(join(folder, name), text)));
  return folder;
}

/** Exit code and output of a linter, whatever it finds. */
async function lint(program: string, ...args: readonly string[]): Promise<{ code: number; output: string }> {
  try {
    const { stdout } = await run(join(linters ?? '', 'bin', program), args, { maxBuffer: 64 * 1024 * 1024 });
    return { code: 0, output: stdout };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { code, output: stdout };
  }
}

describe.skipIf(linters === undefined)('the templates', () => {
  it(
    'are clean for cfn-lint, which does find a mistake',
    async () => {
      const folder = await writeAll();
      expect(await lint('cfn-lint', join(folder, '*.yaml'))).toEqual({ code: 0, output: '' });
      const wrong = await writeAll({
        'node.yaml': (texts['node.yaml'] ?? '').replace('KeySpec: SYMM', 'KeySpec: ASYMM'),
      });
      expect((await lint('cfn-lint', join(wrong, 'node.yaml'))).output).toContain('E3030');
    },
    10 * MINUTES,
  );

  it(
    'are clean for checkov but for what their Metadata explains',
    async () => {
      const folder = await writeAll();
      const args = [
        '--framework',
        'cloudformation',
        '--skip-download',
        '--output',
        'json',
        '--directory',
        folder,
      ];
      const { code, output } = await lint('checkov', ...args);
      const { results } = JSON.parse(output) as {
        results: {
          passed_checks: unknown[];
          failed_checks: { check_id: string; resource: string }[];
          skipped_checks: { check_id: string; check_result: { suppress_comment: string } }[];
          parsing_errors: string[];
        };
      };
      expect(results.failed_checks.map(({ check_id, resource }) => `${check_id} ${resource}`)).toEqual([]);
      expect(results.parsing_errors).toEqual([]);
      expect(results.passed_checks.length).toBeGreaterThan(80);
      // Every exception says why.
      const reasons = results.skipped_checks.map(({ check_result }) => check_result.suppress_comment);
      expect(reasons.length).toBeGreaterThan(5);
      expect(reasons.filter((reason) => reason.length < 40)).toEqual([]);
      expect(code).toBe(0);
    },
    10 * MINUTES,
  );
});
