/** Options of the door by which the parents of peers ask this node for cosignatures. */
export interface WitnessDoorOptions {
  /** Address to listen on; `127.0.0.1` when left out. */
  readonly host?: string;
  /** Port to listen on; 0 takes a free one. */
  readonly port: number;
}
