import type { PrincipalDirectory } from '../../aws/directory.ts';
import { presignUrl } from '../../../shared/aws-sigv4/index.ts';
import type { AwsCredentials } from '../../aws/directory.ts';
import type { S3 } from '../../s3/index.ts';

/** Account of CloudFormation itself, which is nobody's. */
const ACCOUNT = '000000000000';
/** Lifetime of a URL in seconds, as long as CloudFormation waits at most. */
const EXPIRES = 7200;

export interface ResponseBoxOptions {
  readonly s3: S3;
  readonly directory: PrincipalDirectory;
  /** Origin of S3 as functions reach it: `https://localhost:PORT`. */
  readonly origin: () => string;
  readonly clock: () => number;
}

/** Where a response is put, and what was put there. */
export interface ResponseSlot {
  /** Pre-signed URL for one PUT. */
  readonly url: string;
  /** Waits for the response. Rejects with the signal's reason. */
  wait(signal: AbortSignal): Promise<Uint8Array>;
}

/** Buckets of CloudFormation's own, one a Region, into which functions put the responses of custom resources. */
export class ResponseBox {
  readonly #options: ResponseBoxOptions;
  #credentials: AwsCredentials | undefined;

  constructor(options: ResponseBoxOptions) {
    this.#options = options;
  }

  /** Opens the slot of a request. The same request, repeated after a crash, finds what was put meanwhile. */
  open(region: string, requestId: string): ResponseSlot {
    const { s3, directory, origin, clock } = this.#options;
    const bucket = `cloudformation-custom-resource-response-${region.replaceAll('-', '')}`;
    if (s3.findBucket(bucket) === undefined) s3.createBucket({ name: bucket, accountId: ACCOUNT, region });
    this.#credentials ??= directory.createAccessKey({ accountId: ACCOUNT });
    const key = requestId;
    const url = presignUrl({
      method: 'PUT',
      origin: origin(),
      path: `/${bucket}/${key}`,
      region,
      credential: this.#credentials,
      expires: EXPIRES,
      now: clock(),
    });
    return { url, wait: (signal) => this.#wait(bucket, key, signal) };
  }

  async #wait(bucket: string, key: string, signal: AbortSignal): Promise<Uint8Array> {
    const { s3 } = this.#options;
    if (s3.latest(bucket, key) === undefined) await this.#arrival(bucket, key, signal);
    return (await s3.getObject(bucket, key)) ?? new Uint8Array();
  }

  async #arrival(bucket: string, key: string, signal: AbortSignal): Promise<void> {
    const { s3 } = this.#options;
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const stop = s3.onObject((version) => {
        if (version.bucket !== bucket || version.key !== key) return;
        stop();
        resolve();
      });
      signal.addEventListener(
        'abort',
        () => {
          stop();
          reject(signal.reason as Error);
        },
        { once: true },
      );
    });
  }
}
