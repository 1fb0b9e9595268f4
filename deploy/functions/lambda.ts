/** What functions use of the context of an invocation. Source: AWS Lambda Developer Guide, "Node.js context object". */
export interface LambdaContext {
  /** Milliseconds until Lambda ends the invocation. */
  getRemainingTimeInMillis(): number;
}

/** Writes one line of a function's log: codes and identifiers, never content. */
export type WriteLog = (fields: Readonly<Record<string, string | number | boolean | undefined>>) => void;

/** Writes a line of JSON to standard output, which Lambda keeps as the log. */
export const writeLog: WriteLog = (fields) => {
  process.stdout.write(`${JSON.stringify(fields)}\n`);
};
