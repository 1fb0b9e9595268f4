import type { CloudFormationClient, Parameter, Stack } from '@aws-sdk/client-cloudformation';
import { isMap, isScalar, parseDocument } from 'yaml';
import { StepError } from '../errors.ts';

/** Largest template that a request of CloudFormation takes, in bytes. */
const MAX_TEMPLATE_BYTES = 51_200;

/** Stack as it is to be. */
export interface StackOrder {
  readonly name: string;
  readonly region: string;
  readonly template: string;
  /** JSON of the stack policy. */
  readonly policy: string;
  /** Whether nobody can delete the stack before that protection is taken off. */
  readonly isProtected?: boolean;
  /** Values of parameters; one that is left out stays as the stack has it, and is the template's default in a new one. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Values that a stack is made with beside those, and that one which exists need not have. */
  readonly initial?: Readonly<Record<string, string>>;
}

/** Stack that is to be, and the client to ask about it. */
export interface OrderedStack {
  readonly client: CloudFormationClient;
  readonly order: StackOrder;
}

/** @throws StepError VAULT_STACK_TOO_LARGE */
export function assertTemplateFits({ name, template }: StackOrder): void {
  const actual = Buffer.byteLength(template);
  if (actual <= MAX_TEMPLATE_BYTES) return;
  throw new StepError('VAULT_STACK_TOO_LARGE', 'the template is longer than CloudFormation takes', {
    stack: name,
    actual,
    maximum: MAX_TEMPLATE_BYTES,
  });
}

/**
 * Lists the parameters of a request: those that are ordered, and of an existing stack those that are not, as they are.
 * Without that CloudFormation would take the template's defaults for what a person has chosen.
 */
export function giveParameters(
  { template, parameters, initial = {} }: StackOrder,
  existing: Stack | undefined,
): Parameter[] {
  const declared = readParameterNames(template);
  const kept = (existing?.Parameters ?? [])
    .map(({ ParameterKey: name = '' }) => name)
    .filter((name) => declared.has(name) && !Object.hasOwn(parameters, name));
  const given = { ...(existing === undefined ? initial : {}), ...parameters };
  return [
    ...Object.entries(given).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })),
    ...kept.map((ParameterKey) => ({ ParameterKey, UsePreviousValue: true })),
  ];
}

/** Reads which parameters a template declares. Tags of CloudFormation's functions stand for nothing here. */
function readParameterNames(template: string): ReadonlySet<string> {
  const section = parseDocument(template, { logLevel: 'silent' }).get('Parameters');
  const keys = isMap(section) ? section.items.map(({ key }) => key) : [];
  return new Set(keys.map((key) => String(isScalar(key) ? key.value : key)));
}

/** Whether a stack has each parameter as ordered; what CloudFormation shows as stars is not compared. */
export function hasParameters({ Parameters: found = [] }: Stack, { parameters }: StackOrder): boolean {
  const values = new Map(found.map(({ ParameterKey: key, ParameterValue: value }) => [key, value]));
  return Object.entries(parameters).every(
    ([key, value]) => values.get(key) === value || values.get(key) === '****',
  );
}

/** Parameters that say whose a stack is. */
const VAULT_PARAMETERS = ['Namespace', 'Environment'] as const;

/**
 * Asserts that a stack of the ordered name is not that of another vault: namespaces and environments have hyphens, so that
 * `a-b` and `c` give the names of `a` and `b-c`.
 *
 * @throws StepError VAULT_STACK_OTHER_VAULT
 */
export function assertOwnStack(stack: Stack, { name, parameters }: StackOrder): void {
  const found = new Map(stack.Parameters?.map((one) => [one.ParameterKey, one.ParameterValue]));
  const pick = (valueOf: (parameter: string) => string | undefined) =>
    VAULT_PARAMETERS.map((parameter) => valueOf(parameter) ?? '').join('/');
  const [expected, actual] = [pick((one) => parameters[one]), pick((one) => found.get(one))];
  if (VAULT_PARAMETERS.every((one) => !found.has(one) || found.get(one) === parameters[one])) return;
  throw new StepError('VAULT_STACK_OTHER_VAULT', 'the stack of this name is that of another vault', {
    stack: name,
    expected,
    actual,
  });
}

/** Outputs of a stack by their names. */
export function outputsOf({ Outputs: outputs = [] }: Stack): ReadonlyMap<string, string> {
  return new Map(outputs.map(({ OutputKey: key = '', OutputValue: value = '' }) => [key, value]));
}

/** Reads one output. @throws StepError VAULT_OUTPUT_WRONG */
export function readOutput(stack: Stack, name: string): string {
  const value = outputsOf(stack).get(name);
  if (value !== undefined && value !== '') return value;
  throw new StepError('VAULT_OUTPUT_WRONG', 'the stack lacks an output', {
    stack: stack.StackName,
    output: name,
  });
}
