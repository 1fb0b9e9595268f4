import { HoldfastError } from '../../shared/errors.ts';

export type GatewayErrorCode =
  /** The configuration file has an unknown field, or a value that is none of its kind. */
  | 'GATEWAY_CONFIG_MALFORMED'
  /** The listener would be reachable from elsewhere without TLS and without authentication of clients. */
  | 'GATEWAY_LISTEN_EXPOSED'
  /** The address of a listener is not to be had. */
  | 'GATEWAY_LISTEN_FAILED'
  /** A certificate, its key or the authority of clients is not what TLS takes. */
  | 'GATEWAY_TLS_MALFORMED';

/** Refusal to start a door. */
export class GatewayError extends HoldfastError<GatewayErrorCode> {}
