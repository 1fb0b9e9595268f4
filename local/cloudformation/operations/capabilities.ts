import { AwsServiceError } from '../../aws/plumbing.ts';
import type { Template } from '../template/template.ts';

/** Property by which a template names an IAM resource itself; null for types without one. */
const NAMED_BY: ReadonlyMap<string, string | null> = new Map([
  ['AWS::IAM::AccessKey', null],
  ['AWS::IAM::Group', 'GroupName'],
  ['AWS::IAM::InstanceProfile', 'InstanceProfileName'],
  ['AWS::IAM::ManagedPolicy', 'ManagedPolicyName'],
  ['AWS::IAM::Policy', null],
  ['AWS::IAM::Role', 'RoleName'],
  ['AWS::IAM::RolePolicy', null],
  ['AWS::IAM::User', 'UserName'],
  ['AWS::IAM::UserToGroupAddition', null],
]);

/** Capabilities that a template needs, and the types that need them. */
export interface NeededCapabilities {
  readonly capabilities: readonly string[];
  readonly types: readonly string[];
}

/** Decides which capabilities a template needs. Source: CloudFormation API Reference, "CreateStack", Capabilities. */
export function neededCapabilities({ resources }: Template): NeededCapabilities {
  const used = [...resources.values()].filter(({ type }) => NAMED_BY.has(type));
  if (used.length === 0) return { capabilities: [], types: [] };
  const isNamed = used.some(({ type, properties }) => {
    const name = NAMED_BY.get(type) ?? '';
    return Object.hasOwn(properties, name);
  });
  return {
    capabilities: [isNamed ? 'CAPABILITY_NAMED_IAM' : 'CAPABILITY_IAM'],
    types: [...new Set(used.map(({ type }) => type))],
  };
}

/** Asserts that a request acknowledges what a template needs. @throws AwsServiceError InsufficientCapabilitiesException */
export function assertCapabilities(template: Template, given: readonly string[]): void {
  const { capabilities } = neededCapabilities(template);
  const missing = capabilities.filter(
    (name) => !given.includes(name) && !(name === 'CAPABILITY_IAM' && given.includes('CAPABILITY_NAMED_IAM')),
  );
  if (missing.length === 0) return;
  throw new AwsServiceError(
    'InsufficientCapabilitiesException',
    `Requires capabilities : [${missing.join(', ')}]`,
  );
}
