/** Runs what has the same name one after another, and all else at the same time. */
export type InTurn = <Result>(name: string, act: () => Promise<Result>) => Promise<Result>;

/** Creates turns; nothing is kept of a name that nobody waits for. */
export function createTurns(): InTurn {
  const last = new Map<string, Promise<unknown>>();
  return async (name, act) => {
    const before = last.get(name);
    const turn = (async () => {
      await before?.catch(() => undefined);
      return await act();
    })();
    last.set(name, turn);
    try {
      return await turn;
    } finally {
      if (last.get(name) === turn) last.delete(name);
    }
  };
}
