/** What should never stand in a file that everybody gets. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/, 'a private key'],
  [/\bA(?:KIA|SIA)[A-Z2-7]{16}\b/, 'an access key of AWS'],
  [/\baws_(?:secret_access_key|session_token)\b/i, 'credentials of AWS'],
  [/:\/\/[^\s/:@]+:[^\s/@]+@/, 'a password in a URL'],
  [/\bAGE-SECRET-KEY-1[A-Z0-9]+/, 'a private key of age'],
  [/^\s*(?:password|passphrase|secret|privateKey|private_key|mnemonic)\s*:/im, 'a field for a secret'],
];

/** Finds the first thing in a text that looks like a secret: what it is, and its line, never the secret itself. */
export function findSecret(text: string): { readonly what: string; readonly line: number } | undefined {
  const found = SECRETS.flatMap(([pattern, what]) => {
    const index = text.search(pattern);
    return index < 0 ? [] : [{ what, line: text.slice(0, index).split('\n').length }];
  });
  return found.toSorted((a, b) => a.line - b.line)[0];
}
