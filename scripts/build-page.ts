import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const PAGE = fileURLToPath(new URL('../page/', import.meta.url));
const DEFAULT_OUTPUT = fileURLToPath(new URL('../dist/verifier.html', import.meta.url));

/**
 * Builds the verifier page: one HTML file that holds everything and may load nothing. Its policy allows this script and
 * this style by their hashes, and no connection.
 */
export async function buildPage(): Promise<string> {
  const [script, style] = await Promise.all([bundle('main.ts'), bundle('style.css')]);
  if (/<\/script|<!--/i.test(script) || /<\/style/i.test(style))
    throw new Error('expected a bundle without the end tag of its own element');
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const template = readFileSync(`${PAGE}index.html`, 'utf8');
  return fill(
    fill(fill(template, /POLICY/, policy), /\s*\/\* STYLE \*\/\s*/, style),
    /\s*\/\* SCRIPT \*\/\s*/,
    script,
  );
}

function fill(template: string, place: RegExp, content: string): string {
  if (!place.test(template)) throw new Error(`expected ${place} in the template`);
  return template.replace(place, () => content);
}

async function bundle(entry: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [`${PAGE}${entry}`],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: ['chrome123', 'firefox121', 'safari17.5'],
    charset: 'ascii',
    legalComments: 'none',
  });
  return (outputFiles[0]?.text ?? '').trim();
}

function hashOf(source: string): string {
  return `sha256-${createHash('sha256').update(source).digest('base64')}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const output = process.argv[2] ?? DEFAULT_OUTPUT;
  const page = await buildPage();
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(output, page);
  console.log(`${output} (${Math.ceil(page.length / 1024)} KiB)`);
}
