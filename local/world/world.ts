import { join } from 'node:path';
import { unsafeParseAttestationDocument, verifyAttestationDocument } from '../../attestation/index.ts';
import { type LocalAws, type LocalAwsOptions, startLocalAws } from '../aws/local-aws.ts';
import { NitroHost } from '../nitro-host/index.ts';

/** KMS takes documents that are at most this old, in milliseconds. */
const MAX_DOCUMENT_AGE_MS = 300_000;

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
  let root: Uint8Array | undefined;
  const aws = await startLocalAws({
    ...options,
    stateDirectory: join(stateDirectory, 'aws'),
    verifyRecipient: (document, now) => {
      if (root === undefined) throw new TypeError('no Nitro host yet');
      return verifyRecipient(document, now, root);
    },
  });
  try {
    const host = await NitroHost.open({
      stateDirectory: join(stateDirectory, 'nitro'),
      socketDirectory,
      kmsRoots: [aws.caPem],
    });
    root = host.rootCertificate;
    return { stateDirectory, socketDirectory, aws, host, close: () => aws.close() };
  } catch (error) {
    await aws.close();
    throw error;
  }
}

/** KMS verifies who attests, and its key policies decide on what is measured: any PCRs are taken here. */
function verifyRecipient(document: Uint8Array, now: number, root: Uint8Array) {
  const { payload } = unsafeParseAttestationDocument(document);
  const { pcrs, publicKey } = verifyAttestationDocument(document, {
    root,
    at: now,
    maxAgeMs: MAX_DOCUMENT_AGE_MS,
    pcrs: payload.pcrs,
    allowDebug: true,
  });
  return Promise.resolve({ pcrs, publicKey: publicKey ?? undefined });
}
