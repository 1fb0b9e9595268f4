import type { Transport } from '../transport/transport.ts';
import { LogLinkError } from './errors.ts';
import type { LogRequest, LogResponse, WitnessRefusal } from './log.ts';
import { LOG_SERVICE } from './log-service.ts';
import { RequestLink } from './request-link.ts';
import { createSequence } from '../sequence.ts';

/** A checkpoint to hand out; see `logRequestSchema`. */
export type PublishedCheckpoint = Omit<LogRequest, 'type'>;

/** What the parent says that the witnesses answered. Nobody has verified a line of it. */
export interface WitnessResponses {
  readonly lines: readonly string[];
  readonly refusals: readonly WitnessRefusal[];
}

export interface LogClient {
  /**
   * Hands out a checkpoint, and gets what witnesses said of it: once as many as are wanted have cosigned, or all have
   * answered, or their time is over. Calls queue.
   *
   * @param timeoutMs milliseconds for the call, reconnections included
   * @throws LogLinkError
   */
  publish(checkpoint: PublishedCheckpoint, timeoutMs: number): Promise<WitnessResponses>;
  /** Hangs up; calls that wait or come later throw LOG_LINK_CLOSED. */
  close(): void;
}

/**
 * Creates the client of the log service. A checkpoint may be handed out twice: witnesses cosign the same tree again, so
 * that a lost response is asked for once more.
 */
export function createLogClient(transport: Transport): LogClient {
  const link = new RequestLink<LogRequest, LogResponse>(
    transport,
    LOG_SERVICE,
    (code, message, details, cause) => new LogLinkError(`LOG_LINK_${code}`, message, details, cause),
  );
  const inTurn = createSequence();
  return {
    publish: (checkpoint, timeoutMs) =>
      inTurn(async () => {
        const request = { type: 'checkpoint', ...checkpoint } as const;
        const { lines, refusals } = await link.ask(request, performance.now() + timeoutMs);
        return { lines, refusals };
      }),
    close: () => link.close(),
  };
}
