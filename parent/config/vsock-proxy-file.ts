import { isAlias, isMap, isScalar, isSeq, LineCounter, parseAllDocuments, visit, type Document } from 'yaml';
import { isHost, isPort, normaliseHost, targetKey, type EgressTarget } from '../egress/targets.ts';
import { ParentOptionError } from '../common/errors.ts';
import type { Log } from '../common/log.ts';
import { describePlace, MAX_CONFIG_BYTES } from './parse.ts';

export type VsockProxyFileWarningCode =
  /** A second YAML document, which vsock-proxy does not read either. */
  | 'ALLOWLIST_DOCUMENT_IGNORED'
  /**
   * An address that no host has: a wildcard, a block, a URL. Patterns are not supported, so the entry opens nothing.
   */
  | 'ALLOWLIST_HOST_NEVER_MATCHES';

/** Warning for an entry that opens nothing, though an operator may believe that it does. */
export interface VsockProxyFileWarning {
  readonly code: VsockProxyFileWarningCode;
  readonly line: number;
  /** Address as the file writes it, cut to 128 characters. */
  readonly address?: string;
}

export interface VsockProxyFile {
  /** Targets, each host and port once, hosts in the one spelling of {@link normaliseHost}. */
  readonly targets: readonly EgressTarget[];
  readonly warnings: readonly VsockProxyFileWarning[];
}

type Node = unknown;

/**
 * Reads the allow-list of AWS's vsock-proxy: in the first YAML document, `allowlist:` with `address` and `port` each;
 * other fields do not count. Anchors with aliases and repeated entries are accepted, as vsock-proxy accepts them.
 * vsock-proxy stops at the entry that matches; this parser reads every entry, and refuses the file for an entry that
 * cannot be read (docs/parent.md, "From vsock-proxy").
 * @throws ParentOptionError OPTION_INVALID with the line
 */
export function parseVsockProxyFile(text: string): VsockProxyFile {
  const lines = new LineCounter();
  const [first, second] = parseDocuments(text, lines);
  const lineOf = (node: Node) => lineIn(lines, node);
  const aliases = resolveAliases(first);
  const follow = (node: Node) => (isAlias(node) ? aliases.get(node) : node);
  const fieldOf = (node: Node, name: string) => (isMap(node) ? follow(node.get(name, true)) : undefined);
  const list = fieldOf(first?.contents, 'allowlist');
  if (!isSeq(list)) throw malformed('the file has no list "allowlist"', 1);
  const targets = new Map<string, EgressTarget>();
  const warnings: VsockProxyFileWarning[] = [];
  for (const item of list.items) {
    const entry = follow(item);
    const line = lineOf(item);
    const address = stringIn(fieldOf(entry, 'address'));
    const port = integerIn(fieldOf(entry, 'port'));
    if (address === undefined) throw malformed('an entry has no address that is text', line);
    if (port === undefined || !isPort(port)) {
      throw malformed('an entry has no port that is an integer from 1 to 65535', line);
    }
    const host = normaliseHost(address);
    if (isHost(host)) targets.set(targetKey(host, port), { host, port });
    else warnings.push({ code: 'ALLOWLIST_HOST_NEVER_MATCHES', line, address: address.slice(0, 128) });
  }
  if (second !== undefined) {
    warnings.push({ code: 'ALLOWLIST_DOCUMENT_IGNORED', line: lineOf(second.contents) });
  }
  return { targets: [...targets.values()], warnings };
}

/** Logs one line for each warning. */
export function logAllowListWarnings(warnings: readonly VsockProxyFileWarning[], log: Log): void {
  for (const { code, line, address } of warnings) log('warn', 'egress.allowlist', { code, line, address });
}

/** Parses the first two documents; errors of the second do not count. */
function parseDocuments(text: string, lineCounter: LineCounter): readonly Document[] {
  if (Buffer.byteLength(text) > MAX_CONFIG_BYTES) {
    throw new ParentOptionError('OPTION_INVALID', 'the allow-list is longer than its maximum', {
      maximum: MAX_CONFIG_BYTES,
    });
  }
  let list: readonly Document[];
  try {
    const options = { version: '1.2', strict: true, uniqueKeys: true, lineCounter } as const;
    const documents = parseAllDocuments(text, options);
    list = Array.isArray(documents) ? documents : [];
  } catch (error) {
    // The parser overflows its stack on deep nesting.
    throw new ParentOptionError(
      'OPTION_INVALID',
      'expected YAML, found nesting too deep to parse',
      {},
      error,
    );
  }
  const [error] = list[0]?.errors ?? [];
  if (error !== undefined) {
    throw new ParentOptionError('OPTION_INVALID', 'expected YAML', describePlace(error), error);
  }
  return list.slice(0, 2);
}

/** Maps each alias to the node that it stands for. Nothing is copied, so that no file grows by its aliases. */
function resolveAliases(document: Document | undefined): ReadonlyMap<Node, Node> {
  const [anchors, aliases] = [new Map<string, Node>(), new Map<Node, Node>()];
  if (document === undefined) return aliases;
  visit(document, {
    Node(_key, node) {
      if (isAlias(node)) aliases.set(node, anchors.get(node.source));
      else if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return aliases;
}

function stringIn(node: Node): string | undefined {
  return isScalar(node) && typeof node.value === 'string' ? node.value : undefined;
}

/** Reads an integer written as such; undefined for `443.0`, `4.43e2` and text. */
function integerIn(node: Node): number | undefined {
  if (!isScalar(node) || node.type !== 'PLAIN' || typeof node.value !== 'number') return undefined;
  return /^(?:[-+]?[0-9]+|0x[0-9a-f]+|0o[0-7]+)$/i.test(node.source ?? '') ? node.value : undefined;
}

function lineIn(lines: LineCounter, node: Node): number {
  const start = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined;
  return start === undefined ? 1 : lines.linePos(start).line;
}

function malformed(message: string, line: number): ParentOptionError {
  return new ParentOptionError('OPTION_INVALID', message, { line });
}
