/** Most commands that a person types in one procedure. */
export const MAX_COMMANDS = 7;

/** What the people of a vault do together, in the order of a vault's life. */
export const PROCEDURE_NAMES = [
  'ceremony',
  'secrets',
  'rules',
  'upgrade',
  'backup',
  'drill',
  'recovery',
] as const;
/** A door of a client is run by a procedure of its own. */
export type ProcedureName = (typeof PROCEDURE_NAMES)[number] | `gateway-${string}`;

/** One command of a person, and what surrounds it. */
export interface SheetStep {
  readonly title: string;
  readonly command: string;
  /** What to see when it went well. */
  readonly expect: string;
  /** What to do when it is otherwise. */
  readonly otherwise: string;
  /** What to give to whom afterwards, or whom to wait for. */
  readonly handover?: string;
}

/** What one person does in one procedure, at most {@link MAX_COMMANDS} commands; printed as a sheet of its own. */
export interface Procedure {
  readonly name: ProcedureName;
  readonly title: string;
  /** What has to be there before the first command. */
  readonly before: readonly string[];
  readonly steps: readonly SheetStep[];
  /** What holds once the last command has ended. */
  readonly afterwards: readonly string[];
}
