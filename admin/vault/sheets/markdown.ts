import type { Procedure } from './procedure.ts';
import type { SheetPerson } from './sheet-role.ts';

/** Writes a person's sheet of one procedure as Markdown (CommonMark). */
export function renderMarkdown(
  { account, people }: SheetPerson,
  { title, before, steps, afterwards }: Procedure,
): string {
  const place = account === null ? 'No AWS account is needed.' : `Account ${account.id}, ${account.region}.`;
  return [
    `# ${title}`,
    '',
    [place, ...(people.length === 0 ? [] : [`${people.map((name) => `\`${name}\``).join(', ')}.`])].join(' '),
    '',
    `Your steps alone, ${steps.length} ${steps.length === 1 ? 'command' : 'commands'}. What others do is on their sheets.`,
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
