import { CborError } from '../shared/cbor/index.ts';
import { AttestationError, type AttestationErrorDetails } from './errors.ts';

/**
 * Runs the parser of one part of a document, and adds the name of the part to the parser's refusal.
 *
 * @throws AttestationError with the parser's code
 */
export function locate<Result>(
  where: Pick<AttestationErrorDetails, 'field' | 'index'>,
  parse: () => Result,
): Result {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof AttestationError || error instanceof CborError)) throw error;
    const place = where.index === undefined ? where.field : `${where.field}[${where.index}]`;
    throw new AttestationError(error.code, `${place}: ${error.message}`, { ...where, ...error.details });
  }
}
