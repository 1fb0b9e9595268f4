import type { VaultDocument } from '../document.ts';
import { deriveStacks } from '../derive/stacks.ts';
import { rolesOf } from '../roles.ts';
import { renderHtml } from './html.ts';
import { renderMakefile } from './makefile.ts';
import { renderMarkdown } from './markdown.ts';
import { deriveRunSheet } from './run-sheet.ts';

/**
 * Writes everything that a vault.yaml alone decides, by path: run sheets, stacks with their parameters, the Makefile.
 * Nothing of it is secret, and the same vault.yaml always gives the same files.
 */
export function renderVaultFiles(document: VaultDocument): ReadonlyMap<string, string> {
  const stacks = deriveStacks(document);
  return new Map([
    ['Makefile', renderMakefile(document)],
    ...rolesOf(document).flatMap((role) => {
      const sheet = deriveRunSheet(document, role);
      return [
        [`${role}/run-sheet.md`, renderMarkdown(sheet)],
        [`${role}/run-sheet.html`, renderHtml(sheet)],
        ...stacks
          .filter((stack) => stack.role === role)
          .map(
            (stack) => [`${role}/${stack.name}.json`, `${JSON.stringify(stack, undefined, 2)}\n`] as const,
          ),
      ] as const;
    }),
  ]);
}
