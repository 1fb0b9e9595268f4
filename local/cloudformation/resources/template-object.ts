import { AwsServiceError, type RestService } from '../../aws/plumbing.ts';
import { validationError } from '../errors.ts';
import type { ObjectReader } from '../operations/context.ts';
import { sendTo } from '../stacks/service-caller.ts';

/** Makes the reader of templates from S3, as whoever asks: GetObject has to be allowed to them. */
export function readObjectBy(s3: RestService): ObjectReader {
  return async (request, { bucket, key, versionId }, maxBytes) => {
    const { credential, region, sourceIp, now } = request;
    const path = `/${[bucket, ...key.split('/')].map(encodeURIComponent).join('/')}`;
    const query = versionId === undefined ? '' : `versionId=${encodeURIComponent(versionId)}`;
    try {
      const { body } = await sendTo(
        s3,
        { method: 'GET', path, query },
        { credential, region, sourceIp, now },
      );
      if (body.length > maxBytes) {
        throw validationError(`Template may not exceed ${maxBytes} bytes in size.`);
      }
      return body;
    } catch (error) {
      if (!(error instanceof AwsServiceError) || error.code === 'ValidationError') throw error;
      throw validationError(
        `S3 error: ${error.message}\nFor more information check the S3 error ${error.code}`,
      );
    }
  };
}
