import { dnsSuffixOf, partitionOf } from '../../../shared/aws/partitions.ts';
import type { TemplateValue } from './value.ts';

/** Stack and place for which a template is evaluated. */
export interface StackPlace {
  readonly accountId: string;
  readonly region: string;
  readonly stackId: string;
  readonly stackName: string;
}

/** Names of the pseudo parameters. Source: CloudFormation User Guide, "Pseudo parameters reference". */
const NAMES: ReadonlySet<string> = new Set([
  'AWS::AccountId',
  'AWS::NoValue',
  'AWS::NotificationARNs',
  'AWS::Partition',
  'AWS::Region',
  'AWS::StackId',
  'AWS::StackName',
  'AWS::URLSuffix',
]);

/** Whether a name is a pseudo parameter's. */
export function isPseudoParameter(name: string): boolean {
  return NAMES.has(name);
}

/** Value of a pseudo parameter; undefined for other names. */
export function pseudoParameter(name: string, place: StackPlace): TemplateValue | undefined {
  switch (name) {
    case 'AWS::AccountId':
      return place.accountId;
    case 'AWS::NotificationARNs':
      return [];
    case 'AWS::Partition':
      return partitionOf(place.region)?.id ?? 'aws';
    case 'AWS::Region':
      return place.region;
    case 'AWS::StackId':
      return place.stackId;
    case 'AWS::StackName':
      return place.stackName;
    case 'AWS::URLSuffix':
      return dnsSuffixOf(place.region);
    default:
      return undefined;
  }
}
