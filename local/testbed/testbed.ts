import { join } from 'node:path';
import { type LocalAws, type LocalAwsOptions, startLocalAws } from './local-aws.ts';
import { createRecipientVerifier, type RecipientVerifier } from '../kms/index.ts';
import { NitroHost } from '../nitro-host/index.ts';

export interface TestbedOptions {
  /** Folder that keeps everything between runs: AWS's keys, the NSM's root, each node's files. */
  readonly stateDirectory: string;
  readonly cmsShape?: NonNullable<LocalAwsOptions['cmsShape']>;
  readonly onDecision?: NonNullable<LocalAwsOptions['onDecision']>;
}

/** Testbed: an AWS and any number of Nitro hosts on one machine; accounts and people come with each test node. */
export interface Testbed {
  readonly stateDirectory: string;
  readonly aws: LocalAws;
  /** Host that nodes start on where no other is named. */
  readonly host: NitroHost;
  /** Opens one more host under the same NSM root, whose enclaves trust these authorities (PEM) for KMS besides. */
  addHost(kmsRoots?: readonly string[]): Promise<NitroHost>;
  close(): Promise<void>;
}

/** Opens a testbed: a KMS that believes documents under the NSM's root, and hosts that know KMS's authority. */
export async function openTestbed({ stateDirectory, ...options }: TestbedOptions): Promise<Testbed> {
  let verifyRecipient: RecipientVerifier | undefined;
  const aws = await startLocalAws({
    ...options,
    stateDirectory: join(stateDirectory, 'aws'),
    verifyRecipient: (document, now) => {
      if (verifyRecipient === undefined)
        throw new TypeError('expected a Nitro host before the first request');
      return verifyRecipient(document, now);
    },
  });
  let hosts = 0;
  const openHost = (kmsRoots: readonly string[]) => {
    hosts += 1;
    return NitroHost.open({
      stateDirectory: join(stateDirectory, 'nitro'),
      socketDirectory: join(stateDirectory, hosts === 1 ? 'vsock' : `vsock-${hosts}`),
      kmsRoots: [aws.caPem, ...kmsRoots],
    });
  };
  try {
    const host = await openHost([]);
    verifyRecipient = createRecipientVerifier(host.rootCertificate);
    return {
      stateDirectory,
      aws,
      host,
      addHost: (kmsRoots = []) => openHost(kmsRoots),
      close: () => aws.close(),
    };
  } catch (error) {
    await aws.close();
    throw error;
  }
}
