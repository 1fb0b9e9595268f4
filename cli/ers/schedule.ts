/** The most days between two drills. */
export const MAX_DRILL_DAYS = 366;

/**
 * Writes a systemd timer and service that say when a drill is due: people come together for a drill, no machine does it.
 *
 * @param command the program's absolute path, and its arguments
 * @param onFailure unit that tells people, which systemd starts once the service has failed: a drill is due then, or a
 *   record cannot be believed; without one nobody is told who does not look
 */
export function writeSchedule(
  days: number,
  command: readonly string[],
  onFailure: string | undefined,
): string {
  return `# /etc/systemd/system/holdfast-drill-due.service
[Unit]
Description=Say whether a recovery drill is due
${onFailure === undefined ? '# A failed unit tells nobody by itself: --on-failure names one that does.\n' : `OnFailure=${onFailure}\n`}
[Service]
Type=oneshot
ExecStart=${command.map(quoteForUnit).join(' ')}
NoNewPrivileges=yes
PrivateNetwork=yes
ProtectSystem=strict

# /etc/systemd/system/holdfast-drill-due.timer
[Unit]
Description=Ask daily whether a recovery drill is due (every ${days} days)

[Timer]
OnCalendar=daily
RandomizedDelaySec=1h
Persistent=true

[Install]
WantedBy=timers.target
`;
}

/** Quotes an argument as systemd reads it (systemd.service(5), command lines): no specifier and no variable stays one. */
function quoteForUnit(word: string): string {
  if (/^[A-Za-z0-9/._=@:+,-]+$/.test(word)) return word;
  const escaped = word.replaceAll(/["\\]/g, String.raw`\$&`).replaceAll('\n', String.raw`\n`);
  return `"${escaped.replaceAll('%', '%%').replaceAll('$', '$$$$')}"`;
}

/** Writes a calendar (RFC 5545) with the drill every so many days. @param start milliseconds since 1970 */
export function writeCalendar(days: number, start: number): string {
  const stamp = (time: number) => new Date(time).toISOString().replaceAll(/[-:]|\.\d{3}/g, '');
  const first = start + days * 86_400_000;
  return [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Holdfast//ers drill//EN',
    'BEGIN:VEVENT',
    `UID:holdfast-recovery-drill-${days}@holdfast.invalid`,
    `DTSTAMP:${stamp(start)}`,
    `DTSTART:${stamp(first)}`,
    'DURATION:PT2H',
    `RRULE:FREQ=DAILY;INTERVAL=${days}`,
    'SUMMARY:Recovery drill: custodians with their shares\\, backups\\, an offline machine',
    'END:VEVENT',
    'END:VCALENDAR',
    '',
  ].join('\r\n');
}
