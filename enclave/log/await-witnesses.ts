import type { WitnessRefusal } from '../../shared/protocol/log.ts';
import { AppendError } from './errors.ts';
import type { TransparencyLog } from './transparency-log.ts';

/** Milliseconds for which a start waits: at a node's first one, operators have to tell the witnesses of its log. */
const WITNESSING_MS = 15 * 60_000;

/** What a witness says that has signed a later tree of this log than the one that is shown to it, or another one. */
const ROLLED_BACK: ReadonlySet<WitnessRefusal['code']> = new Set(['LARGER_TREE', 'OTHER_TREE']);

/**
 * Waits until enough witnesses have signed a tree with the boot leaf, outside witnesses and peers each for themselves: then no later state of this store was shown to
 * them, and no instance that goes on from an older one will ever get their signatures again.
 *
 * @param isPeerless true where the configuration lets this very start do without peers
 * @throws AppendError STORE_ROLLED_BACK as soon as so many witnesses are said to know another tree that the rest do not
 * suffice; LOG_NOT_COSIGNED when the time is over. The parent may lie about either: all that it gains is a node that does
 * not start
 */
export async function awaitWitnesses(
  log: Pick<TransparencyLog, 'witnessStart'>,
  { isPeerless = false, timeoutMs = WITNESSING_MS } = {},
): Promise<void> {
  let lacking = 0;
  const isDone = await log.witnessStart(
    timeoutMs,
    (refusals, { threshold, of }) => {
      lacking = threshold;
      const later = new Set(
        refusals.filter(({ code }) => ROLLED_BACK.has(code)).map(({ witness }) => witness),
      );
      if (later.size > of - threshold) {
        throw new AppendError(
          'STORE_ROLLED_BACK',
          'witnesses know a later state of this store, or another one',
          {
            witnesses: [...later],
          },
        );
      }
    },
    isPeerless,
  );
  if (!isDone) {
    throw new AppendError('LOG_NOT_COSIGNED', 'too few witnesses have cosigned the start in time', {
      expected: lacking,
    });
  }
}
