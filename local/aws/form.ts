import { AwsServiceError } from '../../shared/aws-json/index.ts';

const MAX_PARAMETERS = 2000;
const MAX_DEPTH = 8;
const MAX_LIST = 1000;

interface Branch {
  readonly children: Map<string, Branch>;
  value?: string;
}

/**
 * Reads the form of the query protocol: `Parameters.member.2.ParameterKey=name` is the member ParameterKey of the second
 * of the list Parameters. A name that is given twice, or is a value and a list at once, is refused.
 *
 * @throws AwsServiceError MalformedQueryString
 */
export function parseForm(text: string): Readonly<Record<string, unknown>> {
  const root: Branch = { children: new Map() };
  const pairs = text === '' ? [] : text.split('&');
  if (pairs.length > MAX_PARAMETERS) throw malformed();
  for (const pair of pairs) {
    const equals = pair.indexOf('=');
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    const path = name.split('.');
    if (path.length > MAX_DEPTH || path.some((part) => part === '')) throw malformed();
    let branch = root;
    for (const part of path) {
      const next = branch.children.get(part) ?? { children: new Map<string, Branch>() };
      branch.children.set(part, next);
      branch = next;
    }
    if (branch.value !== undefined) throw malformed();
    branch.value = decode(equals < 0 ? '' : pair.slice(equals + 1));
  }
  return asObject(root);
}

function asValue(branch: Branch): unknown {
  if (branch.value !== undefined) {
    // An empty list is written as an empty value.
    if (branch.children.size > 0) throw malformed();
    return branch.value;
  }
  const members = branch.children.get('member');
  if (members === undefined || branch.children.size > 1) return asObject(branch);
  if (members.value !== undefined) throw malformed();
  const positions = [...members.children.keys()].map(Number);
  if (positions.some((position) => !Number.isSafeInteger(position) || position < 1 || position > MAX_LIST)) {
    throw malformed();
  }
  return [...members.children].sort(([a], [b]) => Number(a) - Number(b)).map(([, member]) => asValue(member));
}

function asObject({ children }: Branch): Readonly<Record<string, unknown>> {
  return Object.fromEntries([...children].map(([name, branch]) => [name, asValue(branch)]));
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw malformed();
  }
}

function malformed(): AwsServiceError {
  return new AwsServiceError('MalformedQueryString', 'The query string contains a syntax error.', 400);
}
