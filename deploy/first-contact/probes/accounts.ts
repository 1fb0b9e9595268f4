import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { DoesNotHold, type Probe } from '../probe.ts';

const IMAGE_PARAMETER = '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64';

export const ACCOUNT_PROBES: readonly Probe[] = [
  {
    assumption: 'aws-sts-identity',
    look: async ({ node, infrastructure }) => {
      for (const { sts, accountId } of [node, infrastructure]) {
        const { Account, Arn = '' } = await sts.send(new GetCallerIdentityCommand({}));
        if (Account !== accountId || !Arn.includes(`:${accountId}:`))
          throw new DoesNotHold(`account ${Account ?? '?'} and ARN ${Arn}`);
      }
      return 'both accounts by name';
    },
  },
  {
    assumption: 'aws-ssm-ami',
    look: async ({ infrastructure }) => {
      const { Parameter } = await infrastructure.ssm.send(new GetParameterCommand({ Name: IMAGE_PARAMETER }));
      const id = Parameter?.Value ?? '';
      if (!/^ami-[0-9a-f]{8,17}$/.test(id)) throw new DoesNotHold(`expected the id of an AMI, found ${id}`);
      return id;
    },
  },
];
