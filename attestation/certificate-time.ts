import { DER_TAG, type DerReader } from '../shared/asn1/der-reader.ts';

const UTC_TIME = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const GENERALIZED_TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/**
 * Reads a Time (RFC 5280 section 4.1.2.5) as milliseconds since 1970: UTCTime until 2049 and GeneralizedTime after, with
 * seconds and Z, and a date that the calendar has.
 *
 * @throws AttestationError `DER_TIME`, `DER_TAG`, `DER_TRUNCATED`, `DER_LENGTH`
 */
export function readTime(reader: DerReader): number {
  const at = reader.offset;
  const isUtc = reader.peekTag() === DER_TAG.utcTime;
  const text = String.fromCharCode(...reader.read(isUtc ? DER_TAG.utcTime : DER_TAG.generalizedTime));
  const digits = (isUtc ? UTC_TIME : GENERALIZED_TIME).exec(text);
  if (digits === null)
    throw reader.error(
      'DER_TIME',
      `a time is written ${JSON.stringify(text)}: expected YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ`,
      at,
    );
  const [yearDigits = NaN, month = NaN, day = NaN, hour = NaN, minute = NaN, second = NaN] = digits
    .slice(1)
    .map(Number);
  const year = isUtc ? yearDigits + (yearDigits < 50 ? 2000 : 1900) : yearDigits;
  if (!isUtc && year < 2050)
    throw reader.error('DER_TIME', `GeneralizedTime for the year ${year}: expected UTCTime before 2050`, at);
  const time = Date.UTC(year, month - 1, day, hour, minute, second);
  // Date.UTC carries 31 June over into July: fields that do not come back the same were no date.
  const date = new Date(time);
  const exists =
    date.getUTCFullYear() === year &&
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second;
  if (!exists) throw reader.error('DER_TIME', `the date ${text} is not in the calendar`, at);
  return time;
}
