import { JsonError, parseJson, type JsonObject, type JsonValue } from '../../shared/json/index.ts';
import { KeyPolicyError } from './errors.ts';
import type { Condition } from './condition.ts';
import { parseOperator } from './operator.ts';
import { parseAwsPrincipal, type PrincipalPattern } from './principal.ts';

/** An element of a statement: the entries that it covers, or, negated (`NotX`), the only entries that it does not. */
interface Clause<Entry> {
  readonly negated: boolean;
  readonly entries: readonly Entry[];
}

export interface Statement {
  /** Position in the document, from 0. */
  readonly index: number;
  readonly sid?: string;
  readonly effect: 'Allow' | 'Deny';
  readonly actions: Clause<string>;
  readonly resources: Clause<string>;
  readonly conditions: readonly Condition[];
}

export interface KeyPolicyStatement extends Statement {
  readonly principals: Clause<PrincipalPattern>;
}

export interface PolicyDocument<S extends Statement> {
  readonly version: '2012-10-17' | '2008-10-17';
  readonly id?: string;
  readonly statements: readonly S[];
}

export type KeyPolicy = PolicyDocument<KeyPolicyStatement>;
/** An IAM policy attached to a role or user: no principals. */
export type IdentityPolicy = PolicyDocument<Statement>;

/** The longest key policy document that AWS KMS stores, in bytes (PutKeyPolicy, parameter Policy). */
const MAX_POLICY_BYTES = 32_768;
const MAX_DEPTH = 16;
const MAX_STATEMENTS = 500;

/**
 * Parses a key policy as AWS KMS does, and refuses a document that has more than one reading.
 *
 * @param text the JSON of the policy, at most 32,768 bytes
 * @throws KeyPolicyError POLICY_SYNTAX, POLICY_TOO_LARGE, POLICY_MALFORMED, POLICY_UNRESOLVED
 *
 * Source: IAM User Guide, "Grammar of the IAM JSON policy language"; KMS Developer Guide, "Key policies".
 */
export function parseKeyPolicy(text: string): KeyPolicy {
  return parseDocument(text, (statement, path) => ({
    ...parseStatement(statement, path, ['Principal', 'NotPrincipal']),
    index: path.index,
    principals: parsePrincipals(statement, path.text),
  }));
}

/**
 * Parses an IAM policy that is attached to a role or user.
 *
 * @param text the JSON of the policy, at most 32,768 bytes
 * @throws KeyPolicyError POLICY_SYNTAX, POLICY_TOO_LARGE, POLICY_MALFORMED, POLICY_UNRESOLVED
 *
 * Source: IAM User Guide, "Grammar of the IAM JSON policy language".
 */
export function parseIdentityPolicy(text: string): IdentityPolicy {
  return parseDocument(text, (statement, path) => parseStatement(statement, path, []));
}

/**
 * Parses the trust policy of a role, whose statements name no resources: each is about the role itself.
 *
 * @param text the JSON of the policy, at most 32,768 bytes
 * @throws KeyPolicyError POLICY_SYNTAX, POLICY_TOO_LARGE, POLICY_MALFORMED, POLICY_UNRESOLVED
 *
 * Source: IAM User Guide, "Roles terms and concepts", trust policy.
 */
export function parseTrustPolicy(text: string): KeyPolicy {
  return parseDocument(text, (statement, path) => {
    for (const name of ['Resource', 'NotResource']) {
      if (name in statement) throw malformed('a trust policy names no resources', path.text);
    }
    return {
      ...parseStatement({ ...statement, Resource: '*' }, path, ['Principal', 'NotPrincipal']),
      index: path.index,
      principals: parsePrincipals(statement, path.text),
    };
  });
}

interface StatementPath {
  readonly index: number;
  readonly text: string;
}

function parseText(text: string): JsonValue {
  try {
    return parseJson(new TextEncoder().encode(text), { maxBytes: MAX_POLICY_BYTES, maxDepth: MAX_DEPTH });
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const code = error.code === 'JSON_TOO_LARGE' ? 'POLICY_TOO_LARGE' : 'POLICY_SYNTAX';
    throw new KeyPolicyError(code, error.message, { ...error.details, json: error.code });
  }
}

function parseDocument<S extends Statement>(
  text: string,
  parse: (statement: JsonObject, path: StatementPath) => S,
): PolicyDocument<S> {
  const value = parseText(text);
  assertRendered(value, '$');
  const root = asObject(value, '$');
  assertMembers(root, ['Version', 'Id', 'Statement'], '$');
  const version = root['Version'] ?? '2008-10-17';
  if (version !== '2012-10-17' && version !== '2008-10-17') throw malformed('unknown version', '$.Version');
  const id = optionalString(root, 'Id', '$');
  const list = asList(root['Statement'], '$.Statement');
  if (list.length > MAX_STATEMENTS) throw malformed('too many statements', '$.Statement');
  const statements = list.map((item, index) => {
    const path = { index, text: `$.Statement[${index}]` };
    return parse(asObject(item, path.text), path);
  });
  return { version, ...(id === undefined ? {} : { id }), statements };
}

function parseStatement(statement: JsonObject, path: StatementPath, extra: readonly string[]): Statement {
  const known = ['Sid', 'Effect', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition', ...extra];
  assertMembers(statement, known, path.text);
  const effect = statement['Effect'];
  if (effect !== 'Allow' && effect !== 'Deny')
    throw malformed('Effect is neither Allow nor Deny', `${path.text}.Effect`);
  const sid = optionalString(statement, 'Sid', path.text);
  return {
    index: path.index,
    // AWS takes an empty Sid as none.
    ...(sid === undefined || sid === '' ? {} : { sid }),
    effect,
    actions: parseActions(statement, path.text),
    resources: parseStrings(statement, 'Resource', path.text),
    conditions: parseConditions(statement['Condition'], `${path.text}.Condition`),
  };
}

const ACTION = /^(?:\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+)$/;

function parseActions(statement: JsonObject, path: string): Clause<string> {
  const actions = parseStrings(statement, 'Action', path);
  const wrong = actions.entries.find((action) => !ACTION.test(action));
  if (wrong !== undefined) throw malformed('not an action', path, wrong);
  return actions;
}

function parseStrings(statement: JsonObject, name: 'Action' | 'Resource', path: string): Clause<string> {
  const { negated, value, where } = eitherOf(statement, name, path);
  const entries = asList(value, where).map((entry) => asString(entry, where));
  return { negated, entries };
}

/** Service principal, which ends with a partition's dnsSuffix (partitions.json of the SDKs); AWS refuses a bare name. */
const SERVICE =
  /^(?:\*|[a-z0-9-]+(?:\.[a-z0-9-]+)*\.(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov))$/;

function parsePrincipals(statement: JsonObject, path: string): Clause<PrincipalPattern> {
  const { negated, value, where } = eitherOf(statement, 'Principal', path);
  if (typeof value === 'string') {
    if (value !== '*') throw malformed('a principal that is text is not "*"', where, value);
    return { negated, entries: [{ kind: 'any' }] };
  }
  const members = asObject(value, where);
  assertMembers(members, ['AWS', 'Service', 'Federated', 'CanonicalUser'], where);
  const entries = Object.entries(members).flatMap(([kind, list]) =>
    asList(list, `${where}.${kind}`).map((item): PrincipalPattern => {
      const text = asString(item, `${where}.${kind}`);
      if (kind === 'AWS') return parseAwsPrincipal(text, `${where}.AWS`);
      if (kind !== 'Service') return { kind: kind === 'Federated' ? 'federated' : 'canonical', value: text };
      if (!SERVICE.test(text)) throw malformed('not a service principal', `${where}.Service`, text);
      return { kind: 'service', name: text };
    }),
  );
  if (entries.length === 0) throw malformed('a principal is missing', where);
  return { negated, entries };
}

function parseConditions(value: JsonValue | undefined, path: string): Condition[] {
  if (value === undefined) return [];
  return Object.entries(asObject(value, path)).flatMap(([name, keys]) => {
    const operator = parseOperator(name, path);
    const seen = new Set<string>();
    return Object.entries(asObject(keys, `${path}.${name}`)).map(([key, values]) => {
      const where = `${path}.${name}.${key}`;
      if (!/^[\w.-]+:./.test(key)) throw malformed('not a condition key', where);
      if (seen.has(key.toLowerCase())) throw malformed('a condition key twice, in another case', where);
      seen.add(key.toLowerCase());
      return { operator, key, values: asList(values, where).map((item) => asScalar(item, where)) };
    });
  });
}

function eitherOf(
  statement: JsonObject,
  name: string,
  path: string,
): { negated: boolean; value: JsonValue | undefined; where: string } {
  const negated = `Not${name}` in statement;
  if (negated === name in statement) throw malformed(`expected exactly one of ${name} and Not${name}`, path);
  const member = negated ? `Not${name}` : name;
  return { negated, value: statement[member], where: `${path}.${member}` };
}

function assertMembers(object: JsonObject, known: readonly string[], path: string): void {
  for (const name of Object.keys(object)) {
    if (!known.includes(name)) throw malformed('unknown element', path, name);
  }
}

const TEMPLATE =
  'an unresolved template: render it first (cdk synth, then deploy), and read the policy with aws kms get-key-policy';

/**
 * Refuses a CloudFormation template, whose functions have values only once it is deployed.
 *
 * @throws KeyPolicyError POLICY_UNRESOLVED
 */
function assertRendered(value: JsonValue, path: string): void {
  if (typeof value === 'string' && /\$\{AWS::[A-Za-z]/.test(value)) {
    throw new KeyPolicyError('POLICY_UNRESOLVED', TEMPLATE, { path });
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    const where = Array.isArray(value) ? `${path}[${name}]` : `${path}.${name}`;
    if (name === 'Ref' || name.startsWith('Fn::')) {
      throw new KeyPolicyError('POLICY_UNRESOLVED', TEMPLATE, { path: where });
    }
    assertRendered(member, where);
  }
}

function asObject(value: JsonValue | undefined, path: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw malformed('an object is expected', path);
  }
  return value;
}

/** Reads a value as a list: AWS writes a list of one as its entry. An empty list has no meaning in a policy. */
function asList(value: JsonValue | undefined, path: string): readonly JsonValue[] {
  if (value === undefined || value === null) throw malformed('a value is missing', path);
  const list = Array.isArray(value) ? value : [value];
  if (list.length === 0) throw malformed('a list is empty', path);
  return list;
}

function asString(value: JsonValue, path: string): string {
  if (typeof value !== 'string' || value === '') throw malformed('a string is expected', path);
  return value;
}

function asScalar(value: JsonValue, path: string): string {
  if (typeof value === 'boolean' || typeof value === 'number') return String(value);
  if (typeof value !== 'string') throw malformed('a string, number or boolean is expected', path);
  return value;
}

function optionalString(object: JsonObject, name: string, path: string): string | undefined {
  const value = object[name];
  if (value !== undefined && typeof value !== 'string') {
    throw malformed('a string is expected', `${path}.${name}`);
  }
  return value;
}

function malformed(message: string, path: string, value?: string): KeyPolicyError {
  return new KeyPolicyError('POLICY_MALFORMED', message, value === undefined ? { path } : { path, value });
}
