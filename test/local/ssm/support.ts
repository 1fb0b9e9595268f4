import { onTestFinished } from 'vitest';
import type { ManagedHost } from '../../../local/ssm/index.ts';
import { startLocalAws, type LocalAws } from '../../../local/testbed/local-aws.ts';

export const ACCOUNT = '111122223333';
export const REGION = 'eu-central-1';
export const HOST = 'i-0123456789abcdef0';

/** Starts a local AWS that ends with the test. */
export async function start(): Promise<LocalAws> {
  const aws = await startLocalAws({ verifyRecipient: () => Promise.reject(new Error('no documents here')) });
  onTestFinished(() => aws.close());
  return aws;
}

/** Registers an instance that says what it was told; returns the lines that it gets. */
export function addHost(aws: LocalAws, change: Partial<ManagedHost> = {}): string[] {
  const lines: string[] = [];
  aws.hosts.register({
    instanceId: HOST,
    accountId: ACCOUNT,
    region: REGION,
    address: '127.0.0.1',
    isUp: true,
    run: (line) => {
      lines.push(line);
      return Promise.resolve({ exit: 0, stdout: `ran ${line}`, stderr: '' });
    },
    ...change,
  });
  return lines;
}
