/** Escapes other people's text for a terminal: nothing that moves a cursor, hides a letter or forges a line. */
export function printable(text: string): string {
  return text.replaceAll(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
