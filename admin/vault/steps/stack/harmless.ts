/**
 * Types of resources that hold neither a key nor data, and whose place nobody else has to know: these alone may be
 * removed or replaced by an update. A type that is not here, or not known yet, is taken to hold something.
 */
const HARMLESS: ReadonlySet<string> = new Set([
  'AWS::CloudWatch::Alarm',
  'AWS::EC2::SecurityGroupEgress',
  'AWS::EC2::SecurityGroupIngress',
  'AWS::EC2::VPCEndpoint',
  'AWS::Events::Rule',
  'AWS::IAM::InstanceProfile',
  'AWS::IAM::ManagedPolicy',
  'AWS::IAM::Policy',
  'AWS::IAM::RolePolicy',
  'AWS::Lambda::Alias',
  'AWS::Lambda::Permission',
  'AWS::Lambda::Version',
]);

/** Whether nothing is lost with a resource of this type. */
export function isHarmless(type: string): boolean {
  return HARMLESS.has(type);
}
