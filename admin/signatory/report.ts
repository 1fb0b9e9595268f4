import { InternalError } from '../../shared/errors.ts';
import { type FieldPath, findPart, listFields, printPath } from './fields.ts';

/** One field of Signatory's configuration, and what became of it. The value is left out: it may be a secret. */
export interface ReportedField {
  readonly field: string;
  readonly note: string;
}

/** What became of each field of a configuration: every one is in exactly one list. */
export interface ImportReport {
  /** Fields that decide here what they decide there. */
  readonly carried: readonly ReportedField[];
  /** Fields without a counterpart, and why. */
  readonly dropped: readonly ReportedField[];
  /** Fields whose counterpart permits less. */
  readonly stricter: readonly ReportedField[];
}
export type ReportList = keyof ImportReport;

/** Fields of one document, each of which is to be entered once. */
export class FieldLedger {
  readonly #document: unknown;
  readonly #open: Set<string>;
  readonly #lists: Record<ReportList, ReportedField[]> = { carried: [], dropped: [], stricter: [] };

  constructor(document: unknown) {
    this.#document = document;
    this.#open = new Set(listFields(document).map(printPath));
  }

  /** Enters every field at or below a path that is not entered yet. */
  enter(list: ReportList, path: FieldPath, note: string): void {
    const part = findPart(this.#document, path);
    if (part === undefined) return;
    for (const field of listFields(part.value, path).map(printPath)) {
      if (this.#open.delete(field)) this.#lists[list].push({ field, note });
    }
  }

  /** Ends the report. @throws InternalError where a field is in none of the lists: nothing is dropped silently */
  close(): ImportReport {
    const [left] = this.#open;
    if (left !== undefined) throw new InternalError(`the field ${left} is in no list of the report`);
    return this.#lists;
  }
}
