import { styleText } from 'node:util';
import { type DoctorReport, PARTS, type ReportedFinding } from '../../parent/doctor/index.ts';
import { printable } from '../common/printable.ts';

const HEADINGS: Readonly<Record<(typeof PARTS)[number], string>> = {
  machine: 'This machine',
  enclave: 'Set aside for the enclave',
  service: 'The program and its service',
  files: 'Files',
  time: 'Time',
  AWS: 'AWS',
  network: 'Network',
  room: 'Room',
};

const MARKS = { ok: 'ok', warn: 'warn', fail: 'FAIL', skipped: 'skip' } as const;
const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red', skipped: 'dim' } as const;

/** Formats the report for people: every finding in a line, with advice below those that need it. */
export function formatDoctorReport({ findings, isEnclaveHost }: DoctorReport, colours: boolean): string {
  const paint = (style: 'bold' | 'cyan' | (typeof COLOURS)[keyof typeof COLOURS], text: string) =>
    colours ? styleText(style, text, { validateStream: false }) : text;
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = PARTS.flatMap((part) => {
    const own = findings.filter((finding) => finding.part === part);
    if (own.length === 0) return [];
    return [
      '',
      paint('bold', HEADINGS[part]),
      ...own
        .filter(({ status }) => status !== 'skipped')
        .flatMap((finding) => {
          const { status, check, text } = finding;
          const mark = paint(COLOURS[status], MARKS[status].padEnd(4));
          return [`  ${mark}  ${check.padEnd(width)}  ${printable(text)}`, ...mendLines(finding, paint)];
        }),
      ...skippedLines(own).map((line) => paint('dim', line)),
    ];
  });
  return [...lines.slice(1), '', summarise(findings, isEnclaveHost)].join('\n');
}

/** Formats the skipped checks, one line for each reason. */
function skippedLines(findings: readonly ReportedFinding[]): string[] {
  const skipped = findings.filter(({ status }) => status === 'skipped');
  const checks = Map.groupBy(skipped, ({ text }) => text);
  return [...checks].map(
    ([text, own]) => `  ${MARKS.skipped}  ${own.map(({ check }) => check).join(', ')}: ${printable(text)}`,
  );
}

function mendLines(finding: ReportedFinding, paint: (style: 'cyan', text: string) => string): string[] {
  if (finding.status === 'ok' || finding.status === 'skipped') return [];
  const { code, advice, command } = finding;
  return [
    `        ${code}: ${printable(advice)}`,
    ...(command === undefined ? [] : [`        ${paint('cyan', `$ ${printable(command)}`)}`]),
  ];
}

function summarise(findings: readonly ReportedFinding[], isEnclaveHost: boolean): string {
  const count = (status: ReportedFinding['status']) =>
    findings.filter((finding) => finding.status === status).length;
  const counts = `${count('fail')} to mend, ${count('warn')} to think about, ${count('ok')} in order, ${count('skipped')} not looked at.`;
  if (count('fail') > 0) return `${counts}\nBegin with the first FAIL: others may follow from it.`;
  if (!isEnclaveHost) return `${counts}\nNo enclave can run here; where one shall, run this again.`;
  return count('skipped') > 0 ? `${counts}\nNothing that was looked at stands in the way.` : counts;
}
