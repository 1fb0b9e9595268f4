/** What a code means; and what to do next, where that differs from what its area says. */
export type Explanation = string | readonly [meaning: string, next: string];

/** Codes of one origin. A new code is one line here; docs/codes.md is written from it by `npm run docs:codes`. */
export interface CodeArea {
  /** The heading in docs/codes.md. */
  readonly title: string;
  /** Who refuses, or reports it. */
  readonly who: string;
  /** What to do next, unless a code says something else. */
  readonly next: string;
  readonly codes: Readonly<Record<string, Explanation>>;
}
