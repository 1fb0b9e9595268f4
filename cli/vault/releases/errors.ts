import { ReleaseError } from '../../../admin/artifacts/index.ts';
import { UsageError } from '../../common/command.ts';
import { describeSystemError, systemCode } from '../../common/system-error.ts';

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Translates an error of the file system while a release is written: a full disk is a refusal, the rest is misuse. */
export function describeWriteError(path: string, error: unknown): Error {
  const code = systemCode(error);
  if (code !== undefined && FULL.has(code)) {
    return new ReleaseError('RELEASE_DISK_FULL', 'the disk cannot hold the release', { path });
  }
  return new UsageError(`cannot write ${path}: ${describeSystemError(error)}`);
}
