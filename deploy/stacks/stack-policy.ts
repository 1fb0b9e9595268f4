import type { StackName } from './template.ts';

/** Logical ids of what holds a key or data. */
const KEEPS: Readonly<Record<StackName, readonly string[]>> = {
  infrastructure: ['Artifacts', 'AccessLogs'],
  node: ['Key', 'SigningKey', 'SecretsKey', 'Bucket', 'AccessLogs', 'PasswordSecret', 'GatewaySecret'],
  host: ['Instance'],
};

/** Logical ids of keys: no update of a stack touches them at all. */
const KEYS: Readonly<Record<StackName, readonly string[]>> = {
  infrastructure: [],
  node: ['Key', 'SigningKey', 'SecretsKey'],
  host: [],
};

/**
 * Writes the stack policy that goes with a template (`StackPolicyBody` of CreateStack and UpdateStack, or SetStackPolicy):
 * no update replaces or removes what holds a key or data, and none changes a key, its policy included.
 *
 * @returns JSON
 *
 * Source: AWS CloudFormation User Guide, "Prevent updates to stack resources".
 */
export function readStackPolicy(name: StackName): string {
  const ids = (names: readonly string[]) => names.map((id) => `LogicalResourceId/${id}`);
  const deny = (action: string | readonly string[], names: readonly string[]) =>
    names.length === 0 ? [] : [{ Effect: 'Deny', Action: action, Principal: '*', Resource: ids(names) }];
  return JSON.stringify({
    Statement: [
      { Effect: 'Allow', Action: 'Update:*', Principal: '*', Resource: '*' },
      ...deny(['Update:Replace', 'Update:Delete'], KEEPS[name]),
      ...deny('Update:Modify', KEYS[name]),
    ],
  });
}
