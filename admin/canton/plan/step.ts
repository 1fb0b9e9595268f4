/** Step of a plan: what is done, what shows that it has worked, and how it is taken back. */
export interface PlanStep {
  readonly title: string;
  /** Commands of a shell, or of Canton's console where they begin with `@`. */
  readonly commands: readonly string[];
  readonly check: string;
  readonly undo: string;
}
