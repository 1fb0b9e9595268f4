import { join } from 'node:path';
import { type LocalAws, type LocalAwsOptions, startLocalAws } from '../aws/local-aws.ts';
import { createRecipientVerifier, type RecipientVerifier } from '../kms/index.ts';
import { NitroHost } from '../nitro-host/index.ts';

export interface WorldOptions {
  /** Keeps everything between runs: AWS's keys, the NSM's root, each node's files. */
  readonly stateDirectory: string;
  readonly cmsShape?: NonNullable<LocalAwsOptions['cmsShape']>;
  readonly onDecision?: NonNullable<LocalAwsOptions['onDecision']>;
}

/** An AWS and a Nitro host on one machine. */
export interface World {
  readonly stateDirectory: string;
  /** Stands for vsock: the folder of its sockets. */
  readonly socketDirectory: string;
  readonly aws: LocalAws;
  readonly host: NitroHost;
  close(): Promise<void>;
}

/** Brings them up: a KMS that believes documents under the host's own root, and a host that knows KMS's authority. */
export async function openWorld({ stateDirectory, ...options }: WorldOptions): Promise<World> {
  const socketDirectory = join(stateDirectory, 'vsock');
  let verifyRecipient: RecipientVerifier | undefined;
  const aws = await startLocalAws({
    ...options,
    stateDirectory: join(stateDirectory, 'aws'),
    verifyRecipient: (document, now) => {
      if (verifyRecipient === undefined) throw new TypeError('no Nitro host yet');
      return verifyRecipient(document, now);
    },
  });
  try {
    const host = await NitroHost.open({
      stateDirectory: join(stateDirectory, 'nitro'),
      socketDirectory,
      kmsRoots: [aws.caPem],
    });
    verifyRecipient = createRecipientVerifier(host.rootCertificate);
    return { stateDirectory, socketDirectory, aws, host, close: () => aws.close() };
  } catch (error) {
    await aws.close();
    throw error;
  }
}
