import { CreateRoleCommand } from '@aws-sdk/client-iam';
import { ACCOUNT, type Person } from './cloud.ts';

/** Role that functions of tests have; it may do nothing. */
export const FUNCTION_ROLE = `arn:aws:iam::${ACCOUNT}:role/function-role`;

/** Makes the role of functions. */
export async function makeFunctionRole({ iam }: Person): Promise<void> {
  const AssumeRolePolicyDocument = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
    ],
  });
  await iam.send(new CreateRoleCommand({ RoleName: 'function-role', AssumeRolePolicyDocument }));
}

/**
 * Function of custom resources that writes each question to a folder, and answers as the resource's own properties say: `Say`
 * is the whole body, or `nothing`, or the members of an answer that differ from a good one, as JSON.
 */
const SOURCE = `
const fs = require('node:fs');
exports.handler = async (event) => {
  const { Folder, Id, Say = '{}', SayWhenDeleted = '{}' } = event.ResourceProperties;
  const name = String(Date.now()).padStart(15, '0') + '-' + process.pid;
  fs.writeFileSync(Folder + '/' + name + '.new', JSON.stringify(event));
  fs.renameSync(Folder + '/' + name + '.new', Folder + '/' + name + '.json');
  const say = event.RequestType === 'Delete' ? SayWhenDeleted : Say;
  if (say === 'nothing') return;
  const { StackId, RequestId, LogicalResourceId } = event;
  const answer = { Status: 'SUCCESS', PhysicalResourceId: Id, StackId, RequestId, LogicalResourceId };
  const more = say.startsWith('{') ? JSON.parse(say) : {};
  const body = say.startsWith('{') ? JSON.stringify({ ...answer, ...more }) : say;
  const response = await fetch(event.ResponseURL, { method: 'PUT', body, headers: { 'content-type': '' } });
  if (!response.ok) throw new Error(await response.text());
};
`;

/** Resources of a template: the function, by the logical id Function, and others that the test adds. */
export function withFunction(folder: string, resources: Readonly<Record<string, object>>): string {
  const own = Object.entries(resources).map(([id, properties]) => [
    id,
    {
      Type: 'Custom::Thing',
      Properties: { ServiceToken: { 'Fn::GetAtt': 'Function.Arn' }, Folder: folder, ...properties },
    },
  ]);
  return JSON.stringify({
    Resources: {
      Function: {
        Type: 'AWS::Lambda::Function',
        Properties: {
          Runtime: 'nodejs24.x',
          Handler: 'index.handler',
          Role: FUNCTION_ROLE,
          Timeout: 30,
          Code: { ZipFile: SOURCE },
        },
      },
      ...(Object.fromEntries(own) as object),
    },
  });
}
