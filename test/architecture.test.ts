import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const text = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const architecture = text('ARCHITECTURE.md');
const [, map = ''] = /```\n(.*?)\n```/s.exec(architecture) ?? [];

/** Folders that the map parts into rooms, each to be named there. */
const PARTED = ['shared', 'attestation', 'enclave', 'parent', 'deploy', 'local'];
/** What a checkout has besides, or what tools leave in it. */
const UNMAPPED = new Set(
  ['node_modules', ...text('.gitignore').split('\n')].map((line) => line.replace(/\/$/, '')),
);

const foldersIn = (path: string) =>
  readdirSync(join(ROOT, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !UNMAPPED.has(entry.name))
    .map(({ name }) => name);

/** The rows of "Who imports whom": a folder, and those that it may import. */
const mayImport = new Map(
  [...architecture.matchAll(/^\| `([a-z]+)` +\| ((?:`[a-z]+` *)*) *\|$/gm)].map(
    ([, folder = '', row = '']) => [folder, [...row.matchAll(/`([a-z]+)`/g)].map(([, name = '']) => name)],
  ),
);
const rows = [...mayImport].filter(([folder]) => existsSync(join(ROOT, folder)));

/** The folders of the map that the sources of one import, itself aside. */
function importsOf(folder: string): string[] {
  const found = new Set<string>();
  for (const file of globSync(`${folder}/**/*.{ts,js}`, { cwd: ROOT })) {
    for (const [, path = ''] of text(file).matchAll(/(?:from |import\(|import )'(\.{1,2}\/[^']+)'/g)) {
      found.add(join(file, '..', path).split('/')[0] ?? '');
    }
  }
  found.delete(folder);
  return [...found].toSorted();
}

interface LintRules {
  overrides: {
    files: string[];
    rules: { 'no-restricted-imports'?: [string, { patterns: { group: string[] }[] }] };
  }[];
}

/** The folders of the project that the linter forbids to one of them. */
function forbiddenTo(folder: string): string[] {
  const { overrides } = JSON.parse(text('.oxlintrc.json')) as LintRules;
  return overrides
    .filter(({ files }) => files.includes(`${folder}/**`))
    .flatMap(({ rules }) => rules['no-restricted-imports']?.[1].patterns ?? [])
    .flatMap(({ group }) => group)
    .flatMap((pattern) => /^\*\*\/([a-z]+)\/\*\*$/.exec(pattern)?.[1] ?? []);
}

describe('ARCHITECTURE.md', () => {
  it('names every folder at the top', () => {
    const named = [...map.matchAll(/^([a-z]+)\//gm)].map(([, name]) => name);
    expect(foldersIn('.').filter((name) => !named.includes(name))).toEqual([]);
  });

  it.each(PARTED)('names every folder of %s', (folder) => {
    const [, own = ''] = new RegExp(`^${folder}/(.*(?:\\n  .*)*)`, 'm').exec(map) ?? [];
    expect(foldersIn(folder).filter((name) => !own.includes(`${name}/`))).toEqual([]);
  });

  it('says where things go in files that exist', () => {
    const [, part = ''] = /## Where does it go\?([^#]*)/.exec(architecture) ?? [];
    const paths = [...part.matchAll(/`((?:[a-z-]+\/)+(?:[a-z-]+\.(?:ts|md))?)`/g)].map(
      ([, path = '']) => path,
    );
    expect(paths.length).toBeGreaterThan(10);
    const isAbsent = (path: string) => !existsSync(join(ROOT, path));
    // Two rooms that the map names are not built yet.
    const isComing = (path: string) => /^(admin|audit)\//.test(path) && isAbsent(path.split('/')[0] ?? '');
    expect(paths.filter((path) => isAbsent(path) && !isComing(path))).toEqual([]);
  });

  it.each(rows)('lets %s import what it does import', (folder, allowed) => {
    expect(importsOf(folder).filter((name) => !allowed.includes(name))).toEqual([]);
  });

  it('lets no two folders import each other', () => {
    const pairs = [...mayImport].flatMap(([folder, allowed]) =>
      allowed.filter((other) => mayImport.get(other)?.includes(folder)).map((other) => [folder, other]),
    );
    expect(mayImport.size).toBeGreaterThan(8);
    expect(pairs).toEqual([]);
  });

  it.each(rows.map(([folder, allowed]) => ({ folder, allowed })))(
    'says of $folder what the linter says',
    ({ folder, allowed }) => {
      const others = rows.map(([name]) => name).filter((name) => name !== folder && name !== 'page');
      const forbidden = forbiddenTo(folder);
      expect(forbidden.filter((name) => allowed.includes(name))).toEqual([]);
      expect(others.filter((name) => !allowed.includes(name) && !forbidden.includes(name))).toEqual([]);
    },
  );
});
