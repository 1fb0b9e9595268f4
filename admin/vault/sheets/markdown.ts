import type { RunSheet } from './run-sheet.ts';

/** Writes a run sheet as Markdown (CommonMark). */
export function renderMarkdown({
  title,
  account,
  region,
  people,
  before,
  steps,
  afterwards,
}: RunSheet): string {
  return [
    `# ${title}`,
    '',
    `Account ${account}, ${region}. ${people.map((arn) => `\`${arn}\``).join(', ')}.`,
    '',
    `Your steps alone, ${steps.length} commands. What others do is on their sheets.`,
    '',
    '## Before',
    '',
    ...before.map((line) => `- ${line}`),
    ...steps.flatMap(({ title: step, command, expect, otherwise, handover }, index) => [
      '',
      `## ${index + 1}. ${step}`,
      '',
      '```sh',
      command,
      '```',
      '',
      `_Expect_ ${expect}`,
      '',
      `_Otherwise_ ${otherwise}`,
      ...(handover === undefined ? [] : ['', `_Then_ ${handover}`]),
    ]),
    '',
    '## Afterwards',
    '',
    ...afterwards.map((line) => `- ${line}`),
    '',
  ].join('\n');
}
