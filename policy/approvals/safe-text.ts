/**
 * Characters that change how text around them is shown, or that nobody sees: controls, format characters (those that
 * turn the direction of text among them), separators of lines, surrogates, private and unassigned ones.
 */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** Longest text that is shown, in characters: no message of a payload is longer. */
const MAX_SHOWN = 20_000;

/** Makes a text from outside safe to be shown to a person who decides by it: each unsafe character is named instead. */
export function makeSafe(text: string): string {
  const safe = text.replaceAll(
    UNSAFE,
    (character) =>
      `\u27E8U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}\u27E9`,
  );
  return safe.length <= MAX_SHOWN ? safe : `${safe.slice(0, MAX_SHOWN)}\u2026 (${safe.length} characters)`;
}
