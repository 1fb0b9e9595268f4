/** A request whose body has arrived. */
export interface GatewayRequest {
  /** Id by which the log names the request: a UUID. */
  readonly id: string;
  readonly method: string;
  /** Request target as it came: path and query. */
  readonly target: string;
  /** Header fields as they came: name, value, name, value. */
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
  /** Aborts when the connection ends before the response. */
  readonly signal: AbortSignal;
  /** Whether the connection has ended, or the client has closed its side: nobody may wait for the response any more. */
  readonly isClientGone: () => boolean;
}

/** What a log line says of a request that was carried out, in place of a code. */
export const CARRIED_OUT = 'OK';

/** What a log line says of a request: names and codes, never a payload, a secret or a credential. */
export interface GatewayRecord {
  /** The client of the nodes' configuration in whose name the door asked. */
  readonly client?: string | undefined;
  readonly operation?: string | undefined;
  readonly key?: string | undefined;
  /** {@link CARRIED_OUT}, or the code of the refusal. */
  readonly code: string;
  /** What was to be signed, encrypted or decrypted, in hex; written where `log.payloads` of the configuration says so. */
  readonly payload?: string | undefined;
}

/** A response. Content-Length is set by the server. */
export interface GatewayResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
  readonly record: GatewayRecord;
  /**
   * Told whether the client has got the response, as far as TCP shows: false where the connection had ended, or the
   * client had closed its side, before all was written; once more with false where it was reset before another request.
   */
  readonly onDelivery?: ((isDelivered: boolean) => void) | undefined;
}

/** Codes of the server's own refusals, with the HTTP status of each. */
export const REFUSAL_STATUS = {
  REQUEST_MALFORMED: 400,
  PAGE_REFUSED: 403,
  REQUEST_TIMEOUT: 408,
  LENGTH_REQUIRED: 411,
  REQUEST_TOO_LARGE: 413,
  HEADERS_TOO_LARGE: 431,
  INTERNAL: 500,
  OVERLOADED: 503,
} as const satisfies Record<string, number>;
export type RefusalCode = keyof typeof REFUSAL_STATUS;

/** A refusal of the server, before or instead of the protocol's own work. */
export interface GatewayRefusal {
  readonly id: string;
  readonly code: RefusalCode;
  readonly status: number;
}

/** The protocol that a door speaks with its clients. */
export interface GatewayProtocol {
  /** Name in the log: `kms`, `tezos`, `ethereum`. */
  readonly name: string;
  /** Longest body in bytes. */
  readonly maxBodyBytes: number;
  /** True where the protocol authenticates every request that is not refused. */
  readonly isAuthenticated: boolean;
  /** Responds to a request; a rejection is a defect of the door, and the client gets `refuse` with INTERNAL. */
  readonly handle: (request: GatewayRequest) => Promise<GatewayResponse>;
  /** Puts a refusal of the server into the protocol's form. */
  readonly refuse: (refusal: GatewayRefusal) => Omit<GatewayResponse, 'onDelivery' | 'record'>;
}
