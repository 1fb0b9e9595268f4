/**
 * The base of every error that hostile data, a refusing peer or a broken machine can cause. Callers branch on
 * `code`, never on the message. `details` hold what a person needs to mend it and never a secret, a payload or a
 * credential; across the vsock only `code` travels.
 */
export abstract class HoldfastError<Code extends string = string> extends Error {
  readonly code: Code;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: Code, message: string, details: Record<string, unknown> = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = new.target.name;
    this.code = code;
    this.details = Object.freeze({ ...details });
  }
}

/** Returns the code of a HoldfastError and `INTERNAL` for any other error: the part that may leave the process. */
export function errorCode(error: unknown): string {
  return error instanceof HoldfastError ? error.code : 'INTERNAL';
}

/** A broken invariant of this code, never caused by data from outside. */
export class InternalError extends HoldfastError<'INTERNAL'> {
  constructor(message: string, cause?: unknown) {
    super('INTERNAL', message, {}, cause);
  }
}
