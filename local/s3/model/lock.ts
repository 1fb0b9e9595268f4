import { accessDenied, s3Error } from '../errors.ts';
import type { Bucket, Lock, Version } from './records.ts';

const DAY = 86_400_000;

/** No protection at all. */
export const UNLOCKED: Lock = { hold: false };

/** Protection that a new version gets: what its request says, else the bucket's rule. @throws AwsServiceError InvalidRequest, InvalidArgument */
export function lockOfNew({ objectLock }: Bucket, asked: Lock, now: number): Lock {
  const isAsked = asked.mode !== undefined || asked.hold;
  if (objectLock === undefined) {
    if (isAsked) throw s3Error('InvalidRequest', 'Bucket is missing Object Lock Configuration');
    return UNLOCKED;
  }
  if (asked.until !== undefined && asked.until <= now) {
    throw s3Error('InvalidArgument', 'The retain until date must be in the future!');
  }
  const { rule } = objectLock;
  if (asked.mode !== undefined || rule === undefined) return asked;
  const days = rule.days ?? (rule.years ?? 0) * 365;
  return { ...asked, mode: rule.mode, until: now + days * DAY };
}

/** True where the version may be deleted only by whoever bypasses governance. @throws AwsServiceError AccessDenied */
export function needsBypass({ lock }: Version, now: number): boolean {
  if (lock.hold) throw protectedObject();
  if (lock.mode === undefined || (lock.until ?? 0) <= now) return false;
  if (lock.mode === 'COMPLIANCE') throw protectedObject();
  return true;
}

/**
 * Change of a version's retention: longer is free, shorter or weaker needs a bypass of governance, and of compliance there
 * is none.
 *
 * @returns the new protection, and whether it needs the bypass
 * @throws AwsServiceError AccessDenied, InvalidArgument
 */
export function changeRetention(
  { lock }: Version,
  { mode, until }: Pick<Lock, 'mode' | 'until'>,
  now: number,
): { readonly lock: Lock; readonly bypass: boolean } {
  if (until !== undefined && until <= now) {
    throw s3Error('InvalidArgument', 'The retain until date must be in the future!');
  }
  const changed: Lock = {
    hold: lock.hold,
    ...(mode === undefined ? {} : { mode }),
    ...(until === undefined ? {} : { until }),
  };
  const isInForce = lock.mode !== undefined && (lock.until ?? 0) > now;
  if (!isInForce) return { lock: changed, bypass: false };
  const isWeaker = mode === undefined || (until ?? 0) < (lock.until ?? 0);
  if (lock.mode === 'COMPLIANCE') {
    if (isWeaker || mode !== 'COMPLIANCE') throw protectedObject();
    return { lock: changed, bypass: false };
  }
  return { lock: changed, bypass: isWeaker };
}

/** Creates the refusal of a deletion or change of what Object Lock protects. */
export function protectedObject(): Error {
  return accessDenied('Access Denied because object protected by object lock.');
}
