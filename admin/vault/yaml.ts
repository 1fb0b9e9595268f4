import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument, visit, YAMLParseError } from 'yaml';
import { VaultError } from './errors.ts';

/** Deepest nesting of vault.yaml: the group of an approval of a tier of a rule, and some more. */
const MAX_DEPTH = 24;

/** Place in a file, both from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** YAML that was read, and the places of its values. */
export interface ParsedYaml {
  readonly value: unknown;
  /** Finds the value at a path, or the innermost thing around it that is there. */
  readonly placeOf: (path: readonly PropertyKey[]) => Place | undefined;
}

/**
 * Parses one document of YAML 1.2 without anchors, aliases and tags.
 *
 * @throws VaultError VAULT_MALFORMED with line and column
 */
export function parseYaml(text: string): ParsedYaml {
  const lines = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const refuse = (problem: string, place: Partial<Place>, cause?: unknown) =>
    new VaultError(
      'VAULT_MALFORMED',
      `vault.yaml is not one document of plain YAML 1.2: ${problem}`,
      { ...place },
      cause,
    );
  try {
    const document = parseDocument(text, {
      version: '1.2',
      strict: true,
      uniqueKeys: true,
      logLevel: 'silent',
      prettyErrors: false,
      lineCounter: lines,
    });
    const [fault] = [...document.errors, ...document.warnings];
    if (fault !== undefined) throw refuse(fault.code, placeAt(fault.pos[0]), fault);
    visit(document, {
      Alias: (_key, node) => {
        throw refuse('an alias', placeAt(node.range?.[0] ?? 0));
      },
      Node: (_key, node, ancestors) => {
        const start = node.range?.[0] ?? 0;
        if (ancestors.length > 2 * MAX_DEPTH) throw refuse('nested too deeply', placeAt(start));
        if ('anchor' in node && node.anchor !== undefined) throw refuse('an anchor', placeAt(start));
        if ('tag' in node && node.tag !== undefined && node.tag.startsWith('!'))
          throw refuse('a tag', placeAt(start));
      },
      Pair: (_key, { key }) => {
        if (!isScalar(key) || typeof key.value !== 'string') {
          throw refuse('a key that is no text', isNode(key) ? placeAt(key.range?.[0] ?? 0) : {});
        }
      },
    });
    return {
      value: document.toJS({ maxAliasCount: 0 }) as unknown,
      placeOf: (path) => {
        let node: unknown = document.contents;
        let start = isNode(node) ? node.range?.[0] : undefined;
        for (const name of path) {
          if (isMap(node)) {
            const pair = node.items.find(({ key }) => isScalar(key) && key.value === name);
            if (pair === undefined) break;
            start = isNode(pair.key) ? pair.key.range?.[0] : start;
            node = pair.value;
          } else if (isSeq(node) && typeof name === 'number') {
            node = node.items[name];
            if (!isNode(node)) break;
            start = node.range?.[0] ?? start;
          } else break;
        }
        return start === undefined ? undefined : placeAt(start);
      },
    };
  } catch (error) {
    if (error instanceof VaultError) throw error;
    const place = error instanceof YAMLParseError ? placeAt(error.pos[0]) : {};
    throw refuse('it cannot be read', place, error);
  }
}
