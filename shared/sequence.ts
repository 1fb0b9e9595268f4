/** Runs acts one after another, in the order in which they were given. */
export type Sequence = <Result>(act: () => Promise<Result>) => Promise<Result>;

/** Creates a sequence; an act that fails ends with its own error, and keeps none after it from its turn. */
export function createSequence(): Sequence {
  let last: Promise<unknown> = Promise.resolve();
  return (act) => {
    const result = last.then(act);
    last = result.catch(() => undefined);
    return result;
  };
}
