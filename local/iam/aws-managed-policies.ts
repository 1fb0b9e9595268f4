const allow = (...actions: readonly string[]): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: actions, Resource: '*' }],
  });

/**
 * Policies that AWS keeps and templates attach, by ARN. Source: AWS Managed Policy Reference Guide; AdministratorAccess
 * whole, the others as far as the stand-ins have the services.
 */
export const AWS_MANAGED_POLICIES: ReadonlyMap<string, string> = new Map([
  ['arn:aws:iam::aws:policy/AdministratorAccess', allow('*')],
  [
    'arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore',
    allow(
      'ssm:DescribeDocument',
      'ssm:GetDocument',
      'ssm:GetParameter',
      'ssm:GetParameters',
      'ssm:UpdateInstanceInformation',
      'ssmmessages:CreateControlChannel',
      'ssmmessages:CreateDataChannel',
      'ssmmessages:OpenControlChannel',
      'ssmmessages:OpenDataChannel',
      'ec2messages:AcknowledgeMessage',
      'ec2messages:DeleteMessage',
      'ec2messages:FailMessage',
      'ec2messages:GetEndpoint',
      'ec2messages:GetMessages',
      'ec2messages:SendReply',
    ),
  ],
  [
    'arn:aws:iam::aws:policy/CloudWatchAgentServerPolicy',
    allow(
      'cloudwatch:PutMetricData',
      'ec2:DescribeTags',
      'logs:CreateLogGroup',
      'logs:CreateLogStream',
      'logs:DescribeLogGroups',
      'logs:DescribeLogStreams',
      'logs:PutLogEvents',
    ),
  ],
  [
    'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole',
    allow('logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'),
  ],
]);
