import { gatewayFolder, renderGateway } from '../derive/gateways.ts';
import { deriveStacks } from '../derive/stacks.ts';
import type { VaultDocument } from '../document.ts';
import { postgresOf } from '../parts.ts';
import { POSTGRES_CA_NAME } from './admin-secrets.ts';
import { renderHtml } from './html.ts';
import { renderMakefile } from './makefile.ts';
import { renderMarkdown } from './markdown.ts';
import type { Procedure } from './procedure.ts';
import { deriveRunSheet } from './run-sheet.ts';
import { sheetRolesOf } from './sheet-role.ts';

/** Name of a procedure's file without its ending: the ceremony's is the sheet that a role begins with. */
export function fileOf({ name }: Pick<Procedure, 'name'>): string {
  return name === 'ceremony' ? 'run-sheet' : name;
}

/**
 * Writes everything that a vault.yaml alone decides, by path: a sheet of each procedure of each role, stacks with their
 * parameters, the Makefile. Nothing of it is secret, and the same vault.yaml always gives the same files.
 */
export function renderVaultFiles(document: VaultDocument): ReadonlyMap<string, string> {
  const stacks = deriveStacks(document);
  const postgres = postgresOf(document.parts);
  return new Map([
    ['Makefile', renderMakefile(document)],
    ...(postgres === null ? [] : [[POSTGRES_CA_NAME, postgres.ca] as const]),
    ...document.parts.gateways.map(
      (gateway) => [`${gatewayFolder(gateway)}/gateway.yaml`, renderGateway(document, gateway)] as const,
    ),
    ...sheetRolesOf(document).flatMap((role) => {
      const sheet = deriveRunSheet(document, role);
      return [
        ...sheet.procedures.flatMap((procedure) => [
          [`${role}/${fileOf(procedure)}.md`, renderMarkdown(sheet, procedure)] as const,
          [`${role}/${fileOf(procedure)}.html`, renderHtml(sheet, procedure)] as const,
        ]),
        ...stacks
          .filter((stack) => stack.role === role)
          .map(
            (stack) => [`${role}/${stack.name}.json`, `${JSON.stringify(stack, undefined, 2)}\n`] as const,
          ),
      ];
    }),
  ]);
}
