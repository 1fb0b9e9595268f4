import { CARRIED_OUT, type GatewayRecord } from './protocol.ts';

/** Fields of an event: codes, counts, names and addresses; never a payload, a secret or a credential. */
export type EventFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** A response and the request that it is to. */
export interface RequestEvent extends GatewayRecord {
  readonly id: string;
  readonly door: string;
  readonly status: number;
  /** From the head of the request to the end of the response, in milliseconds. */
  readonly durationMs: number;
  /** Whether the client has got the response, as far as TCP shows. */
  readonly isDelivered: boolean;
}

/** The log of a door: a line for each request, and one for what happens beside them. */
export interface GatewayLog {
  request(event: RequestEvent): void;
  event(level: 'info' | 'warn', name: string, fields?: EventFields): void;
}

export interface GatewayLogOptions {
  readonly format: 'json' | 'text';
  /** Whether lines have payloads. */
  readonly payloads: boolean;
  readonly clock?: () => number;
}

/** Bytes of a value of a line; names of keys and clients are shorter. */
const MAX_VALUE_LENGTH = 512;
const NOT_PLAIN = /[^\x21\x23-\x3c\x3e-\x7e]/;
const NOT_ASCII = /[^\x20-\x7e]/g;

/** Creates a log of one line a request, JSON objects or `name=value` pairs. */
export function createGatewayLog(
  write: (line: string) => void,
  { format, payloads, clock = Date.now }: GatewayLogOptions,
): GatewayLog {
  const line = (level: string, event: string, fields: EventFields) => {
    const given = Object.entries({ ...fields }).filter(([, value]) => value !== undefined);
    const time = new Date(clock()).toISOString();
    if (format === 'json') {
      write(`${quote({ time, level, event, ...Object.fromEntries(given) })}\n`);
      return;
    }
    const words = given.map(([name, value]) => `${name}=${formatText(value)}`);
    write(`${[time, level, event, ...words].join(' ')}\n`);
  };
  return {
    event: line,
    request: ({ id, door, client, operation, key, code, status, durationMs, isDelivered, payload }) =>
      line(code === CARRIED_OUT && isDelivered ? 'info' : 'warn', 'request', {
        id,
        door,
        client,
        operation: shorten(operation),
        key: shorten(key),
        code,
        status,
        durationMs: Math.round(durationMs * 10) / 10,
        ...(isDelivered ? {} : { delivered: false }),
        ...(payloads ? { payload } : {}),
      }),
  };
}

/** Log that drops every line. */
export const silentGatewayLog: GatewayLog = { request: () => undefined, event: () => undefined };

/** Shortens a name that a client has written. */
function shorten(text: string | undefined): string | undefined {
  return text?.slice(0, MAX_VALUE_LENGTH);
}

function formatText(value: EventFields[string]): string {
  const text = String(value);
  return text === '' || NOT_PLAIN.test(text) ? quote(text) : text;
}

/** Writes JSON in ASCII alone: some terminals obey control characters above it, and some readers of lines end them there. */
function quote(value: object | string): string {
  return JSON.stringify(value).replace(
    NOT_ASCII,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
