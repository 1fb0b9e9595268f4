import { encodeQR } from 'qr';
import { splitIntoParts } from '../../shared/cold/index.ts';

/**
 * Writes a message as one HTML page of QR codes, to be scanned from a screen one after the other. The page loads nothing
 * and runs nothing.
 *
 * @param title plain text of ours, without markup
 * @throws ColdError COLD_PARTS_TOO_MANY
 */
export function writeCodesPage(title: string, message: Uint8Array): string {
  const parts = splitIntoParts(message);
  const figures = parts.map((part, index) => {
    const code = encodeQR(part, 'svg', { ecc: 'medium', encoding: 'alphanumeric', border: 4 });
    return `<figure>${code}<figcaption>${index + 1} of ${parts.length}</figcaption></figure>`;
  });
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>
body { font: 12pt/1.4 sans-serif; margin: 10mm; color: #000; background: #fff; }
figure { display: inline-block; margin: 8mm; text-align: center; break-inside: avoid; }
svg { width: 110mm; height: 110mm; }
</style>
<h1>${title}</h1>
${figures.join('\n')}
</html>
`;
}
