import { CODE_AREAS, type CodeArea } from './codes/index.ts';

const INTRODUCTION = `# Codes

Every refusal and finding has a code that stays the same between versions; programs branch on it, never on the message.
\`holdfast explain CODE\` says what stands here. Where "what to do" is empty, the sentence above the table holds.

Codes \`NITRO_E…\` are nitro-cli's own, with its number. AWS's error names are not codes of Holdfast: they stand in the
details of \`AWS_REFUSED\`, \`KMS_REFUSED\` and their like.

This page is written by \`npm run docs:codes\` from \`cli/explain/codes/\`; a test holds that no code of the sources is
missing there.
`;

/** Formats docs/codes.md from the tables of `holdfast explain`. */
export function formatCodesPage(): string {
  return [INTRODUCTION, ...CODE_AREAS.map(formatArea)].join('\n');
}

function formatArea({ title, who, next, codes }: CodeArea): string {
  const rows = Object.entries(codes)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, found]) => {
      const [meaning, own = ''] = typeof found === 'string' ? [found] : found;
      return `| \`${code}\` | ${escape(meaning)} | ${escape(own)} |`;
    });
  return [
    `## ${title}`,
    '',
    `From ${who}. ${next}`,
    '',
    '| code | means | what to do |',
    '| --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

function escape(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('__', '\\_\\_');
}
