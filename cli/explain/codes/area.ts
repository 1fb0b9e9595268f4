/** Meaning of a code; and the next step, where it differs from that of the code's area. */
export type Explanation = string | readonly [meaning: string, next: string];

/** Codes of one origin. A new code is one line here; `npm run docs:codes` writes docs/codes.md from the areas. */
export interface CodeArea {
  /** Heading in docs/codes.md. */
  readonly title: string;
  /** Part that refuses, or that reports the code. */
  readonly who: string;
  /** Next step for a reader, unless a code has its own. */
  readonly next: string;
  readonly codes: Readonly<Record<string, Explanation>>;
}
