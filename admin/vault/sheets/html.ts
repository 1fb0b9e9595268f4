import type { Procedure } from './procedure.ts';
import type { SheetPerson } from './sheet-role.ts';

const STYLE = `
body { font: 11pt/1.45 Georgia, serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; color: #111; background: #fff; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.05rem; margin: 0; }
section { border-top: 1px solid #999; padding: .7rem 0; break-inside: avoid; }
pre { background: #f2f2f2; border: 1px solid #ccc; padding: .5rem; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 9.5pt; }
dl { display: grid; grid-template-columns: 6rem 1fr; gap: .2rem .6rem; margin: .4rem 0; }
dt { font-style: italic; } dd { margin: 0; overflow-wrap: anywhere; }
.box { display: inline-block; width: .9rem; height: .9rem; border: 1px solid #111; margin-right: .5rem; vertical-align: -.1rem; }
.sign { margin-top: 1.5rem; } .sign span { display: inline-block; width: 14rem; border-bottom: 1px solid #111; margin-right: 2rem; height: 1.6rem; }
@media print { body { margin: 0; max-width: none; } @page { margin: 18mm; } }
`;

/** Writes a person's sheet of one procedure as one page of HTML that loads nothing, to be printed and ticked off. */
export function renderHtml(
  { account, people }: SheetPerson,
  { title, before, steps, afterwards }: Procedure,
): string {
  const item = (line: string) => `<li>${escapeHtml(line)}</li>`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
<p>${account === null ? 'No AWS account is needed.' : `Account ${escapeHtml(account.id)}, ${escapeHtml(account.region)}.`}${people.length === 0 ? '' : ` ${people.map(escapeHtml).join(', ')}.`}</p>
<p>Your steps alone, ${steps.length} ${steps.length === 1 ? 'command' : 'commands'}. What others do is on their sheets.</p>
<section><h2>Before</h2><ul>${before.map(item).join('')}</ul></section>
${steps
  .map(
    ({ title: step, command, expect, otherwise, handover }, index) => `<section>
<h2><span class="box"></span>${index + 1}. ${escapeHtml(step)}</h2>
<pre>${escapeHtml(command)}</pre>
<dl><dt>Expect</dt><dd>${escapeHtml(expect)}</dd><dt>Otherwise</dt><dd>${escapeHtml(otherwise)}</dd>${
      handover === undefined ? '' : `<dt>Then</dt><dd>${escapeHtml(handover)}</dd>`
    }</dl>
</section>`,
  )
  .join('\n')}
<section><h2>Afterwards</h2><ul>${afterwards.map(item).join('')}</ul></section>
<p class="sign">Done by <span></span> on <span></span></p>
</body>
</html>
`;
}

function escapeHtml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}
