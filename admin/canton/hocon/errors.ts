import { HoldfastError } from '../../../shared/errors.ts';

export type HoconErrorCode =
  /** Text that com.typesafe:config refuses, too. */
  | 'HOCON_SYNTAX'
  /** A text longer, or nested deeper, than its maximum. */
  | 'HOCON_TOO_LARGE'
  /** A substitution for which there is neither a field nor a variable. */
  | 'HOCON_UNRESOLVED'
  /** HOCON that may be in order and is not read here: an include, a value that refers to itself. */
  | 'HOCON_UNSUPPORTED';

/** Place in one of the texts that are read as one: its name, and a line from 1. */
export interface HoconPlace {
  readonly source: string;
  readonly line: number;
}

/** Refusal of a text of HOCON; `details` have its source and line. */
export class HoconError extends HoldfastError<HoconErrorCode> {
  readonly place: HoconPlace;

  constructor(
    code: HoconErrorCode,
    message: string,
    place: HoconPlace,
    details: Record<string, unknown> = {},
  ) {
    super(code, message, { ...place, ...details });
    this.place = place;
  }
}
