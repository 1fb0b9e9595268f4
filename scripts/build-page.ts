import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const PAGE = fileURLToPath(new URL('../page/', import.meta.url));
const DIST = fileURLToPath(new URL('../dist/', import.meta.url));

/** The pages, each of which becomes one file. */
const PAGES = {
  verifier: { template: 'index.html', script: 'main.ts', style: 'style.css', connect: undefined },
  approver: {
    template: 'approve.html',
    script: 'approve/main.ts',
    style: 'approve.css',
    // Requests of any node's parent that the approver names; what a parent says is verified, and scripts come from nowhere.
    connect: 'https: http://localhost:* http://127.0.0.1:*',
  },
} as const;
export type PageName = keyof typeof PAGES;

/**
 * Builds a page: one HTML file that holds everything and may load nothing. Its policy allows this script and this style
 * by their hashes, and no connection but those that the page is for.
 */
export async function buildPage(name: PageName = 'verifier'): Promise<string> {
  const { template: templateFile, script: scriptFile, style: styleFile, connect } = PAGES[name];
  const [script, style] = await Promise.all([bundle(scriptFile), bundle(styleFile)]);
  if (/<\/script|<!--/i.test(script) || /<\/style/i.test(style))
    throw new Error('expected a bundle without the end tag of its own element');
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    ...(connect === undefined ? [] : [`connect-src ${connect}`]),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const template = readFileSync(`${PAGE}${templateFile}`, 'utf8');
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
  for (const name of ['verifier', 'approver'] as const) {
    const output = `${DIST}${name}.html`;
    const page = await buildPage(name);
    mkdirSync(dirname(output), { recursive: true });
    writeFileSync(output, page);
    console.log(`${output} (${Math.ceil(page.length / 1024)} KiB)`);
  }
}
