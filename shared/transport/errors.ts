import { HoldfastError } from '../errors.ts';

export type TransportErrorCode =
  | 'ADDRESS_IN_USE'
  | 'CONNECT_ABORTED'
  | 'CONNECT_FAILED'
  | 'CONNECT_REFUSED'
  | 'CONNECT_TIMEOUT'
  | 'LISTEN_FAILED'
  | 'TRANSPORT_UNAVAILABLE';

export class TransportError extends HoldfastError<TransportErrorCode> {}
