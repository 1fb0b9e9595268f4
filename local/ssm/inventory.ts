import { z } from 'zod';
import { type AuthenticatedRequest, optional, parseInput } from '../aws/plumbing.ts';
import { authorize, placeOf } from './authorize.ts';
import type { ManagedHosts } from './managed-hosts.ts';

const filter = z.object({ Key: z.string(), Values: z.array(z.string()).min(1).max(100) });
const describeSchema = z.object({
  Filters: optional(z.array(filter).max(5)),
  MaxResults: optional(z.int().min(5).max(50)),
});

/** Source: AWS Systems Manager API Reference, "DescribeInstanceInformation". */
export function describeInstances(hosts: ManagedHosts, request: AuthenticatedRequest): object {
  const input = parseInput(describeSchema, request.input);
  authorize(request, '*');
  const wanted = input.Filters?.find(({ Key }) => Key === 'InstanceIds')?.Values;
  const found = hosts.list(placeOf(request)).filter(({ instanceId }) => wanted?.includes(instanceId) ?? true);
  return {
    InstanceInformationList: found.map(({ instanceId, isUp, address }) => ({
      InstanceId: instanceId,
      PingStatus: isUp ? 'Online' : 'ConnectionLost',
      LastPingDateTime: request.now / 1_000,
      AgentVersion: '3.3.0.0',
      IsLatestVersion: true,
      PlatformType: 'Linux',
      PlatformName: 'Amazon Linux',
      PlatformVersion: '2023',
      ResourceType: 'EC2Instance',
      IPAddress: address,
      ComputerName: instanceId,
    })),
  };
}
