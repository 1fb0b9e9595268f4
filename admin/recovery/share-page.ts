import encodeQR from 'qr';
import type { Custodians, IssuedShare } from './custodians.ts';

const escape = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/**
 * Writes a custodian's share as one HTML page to be printed: numbered words, and the same words as a QR code. The page loads
 * nothing and runs nothing.
 *
 * @param words the share's 33 words
 */
export function writeSharePage(
  { custodian }: IssuedShare,
  words: string,
  { publicKey, threshold, custodians }: Custodians,
): string {
  const cells = words.split(' ').map((word, index) => `<li><span>${index + 1}</span>${escape(word)}</li>`);
  // Upper case is QR's alphanumeric mode: a code of fewer squares.
  const code = encodeQR(words.toUpperCase(), 'svg', { ecc: 'medium', encoding: 'alphanumeric', border: 4 });
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Recovery share ${custodian.share} of ${custodians.length}</title>
<style>
body { font: 11pt/1.4 sans-serif; margin: 15mm; color: #000; }
ol { columns: 3; list-style: none; padding: 0; font: 13pt/1.7 monospace; }
li span { display: inline-block; width: 2.5em; color: #555; font-size: 9pt; }
svg { width: 60mm; height: 60mm; }
code { word-break: break-all; }
</style>
<h1>Recovery share ${custodian.share} of ${custodians.length}: ${escape(custodian.name)}</h1>
<p>Any ${threshold} of ${custodians.length} such shares recover what is encrypted to the key below. One alone is worth nothing, and must be kept all the same: sealed, apart from the others, and from every backup.</p>
<ol>
${cells.join('\n')}
</ol>
${code}
<p>SLIP-39, without a passphrase. Recovery public key (X25519): <code>${publicKey}</code></p>
</html>
`;
}
