import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import type { SeenStatements } from '../../admin/vault/exchange/index.ts';
import type { Journal } from '../../admin/vault/steps/index.ts';
import { JsonError, parseJson } from '../../shared/json/index.ts';
import { UsageError } from '../common/command.ts';
import { CliError } from '../common/errors.ts';
import { writeOutput } from '../common/output-file.ts';
import { describeSystemError } from '../common/system-error.ts';

const FORMAT = 'holdfast-vault-journal/1';
const MAX_BYTES = 4 * 1024 * 1024;
const MAX_DEPTH = 16;

const schema = z.strictObject({
  format: z.literal(FORMAT),
  vault: z.string(),
  seen: z.record(z.string(), z.strictObject({ sequence: z.int().min(1), sha384: z.string() })),
  values: z.record(z.string(), z.unknown()),
});
type Content = z.infer<typeof schema>;

/** What a role's machine remembers between runs: statements that it has seen, and what a crash must not lose. */
export interface WorkFolder {
  readonly journal: Journal;
  readonly seen: SeenStatements;
}

/**
 * Opens the memory of a role, which is written anew for each change and appears whole.
 *
 * @param vault SHA-384 of vault.yaml: of another one nothing is remembered
 * @throws CliError VAULT_JOURNAL_DAMAGED; UsageError where the folder cannot be used
 */
export async function openWorkFolder(folder: string, vault: string): Promise<WorkFolder> {
  const path = join(folder, 'journal.json');
  const content = await readContent(path, vault);
  let writing = Promise.resolve();
  const save = async () => {
    writing = writing.then(async () => {
      await writeOutput(path, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600 });
    });
    await writing;
  };
  return {
    journal: {
      get: (name) => content.values[name],
      async set(name, value) {
        if (value === undefined) delete content.values[name];
        else content.values[name] = value;
        await save();
      },
    },
    seen: {
      get: (id) => content.seen[id],
      async set(id, seen) {
        content.seen[id] = { ...seen };
        await save();
      },
    },
  };
}

/**
 * Reads what this machine has seen as any of its roles, for whoever writes nothing there and need not wait for a run.
 *
 * @param folders of roles; they need not exist
 * @param vault SHA-384 of vault.yaml: of another one nothing is remembered
 * @returns undefined where nothing is remembered
 * @throws CliError VAULT_JOURNAL_DAMAGED; UsageError where a folder cannot be read
 */
export async function readSeenStatements(
  folders: readonly string[],
  vault: string,
): Promise<SeenStatements | undefined> {
  const newest = new Map<string, { readonly sequence: number; readonly sha384: string }>();
  for (const folder of folders) {
    const { seen } = await readContent(join(folder, 'journal.json'), vault);
    for (const [id, one] of Object.entries(seen))
      if (one.sequence > (newest.get(id)?.sequence ?? 0)) newest.set(id, one);
  }
  return newest.size === 0 ? undefined : forgetfulMemory(newest);
}

/** A memory that ends with the process, for whoever only reads. */
export function forgetfulMemory(
  known = new Map<string, { readonly sequence: number; readonly sha384: string }>(),
): SeenStatements {
  return {
    get: (id) => known.get(id),
    set: (id, seen) => {
      known.set(id, seen);
      return Promise.resolve();
    },
  };
}

async function readContent(path: string, vault: string): Promise<Content> {
  const empty: Content = { format: FORMAT, vault, seen: {}, values: {} };
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new UsageError(`cannot read ${path}: ${describeSystemError(error)}`);
  });
  if (bytes === undefined) return empty;
  const content = parseContent(bytes);
  if (content === undefined)
    throw new CliError('VAULT_JOURNAL_DAMAGED', 'the memory of this role is not what "vault apply" writes', {
      path,
    });
  return content.vault === vault ? content : empty;
}

function parseContent(bytes: Uint8Array): Content | undefined {
  try {
    return schema.safeParse(parseJson(bytes, { maxBytes: MAX_BYTES, maxDepth: MAX_DEPTH })).data;
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}
