export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/**
 * Writes one event. Fields are codes, counts, names and addresses: never a payload, a secret, a credential or the
 * text of somebody else's error.
 */
export type Log = (level: LogLevel, event: string, fields?: LogFields) => void;

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** Creates a log of one JSON object a line, which journald keeps as they are. */
export function createJsonLog(
  write: (line: string) => void,
  { level: minimum = 'info', clock = Date.now }: { level?: LogLevel; clock?: () => number } = {},
): Log {
  return (level, event, fields = {}) => {
    if (RANK[level] < RANK[minimum]) return;
    write(`${JSON.stringify({ time: new Date(clock()).toISOString(), level, event, ...fields })}\n`);
  };
}

/** Log that drops every event. */
export const silentLog: Log = () => {};
