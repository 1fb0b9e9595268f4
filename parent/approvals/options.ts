/** Options of the door for approvers. */
export interface ApprovalDoorOptions {
  /** Address to listen on; `127.0.0.1` when left out. */
  readonly host?: string;
  /** Port to listen on; 0 takes a free one. */
  readonly port: number;
  /** Origins of the pages that may read responses (CORS); none when left out, which shuts out browsers alone. */
  readonly origins?: readonly string[];
}
