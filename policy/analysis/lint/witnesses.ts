import type { Configuration } from '../../../shared/documents/configuration.ts';
import type { ConfigurationFinding } from './finding.ts';

/** A threshold, and how many witnesses there are. */
interface Choice {
  readonly k: number;
  readonly n: number;
}

/** Finds witnesses that bear less than their number suggests: outside witnesses and peers, each group for itself. */
export function lintWitnesses(configuration: Configuration): ConfigurationFinding[] {
  const { witnesses, quorum } = configuration;
  const outside = witnesses === null ? undefined : { k: witnesses.threshold, n: witnesses.keys.length };
  const hasPeers = quorum?.witnesses !== undefined;
  const isCarried = outside !== undefined && countFaults(outside) >= 0;
  return [
    ...(outside === undefined
      ? [lintAbsence(hasPeers)]
      : [lintChoice('witnesses', outside, 'restored from a backup', false)]),
    ...lintWaiver('witnesses', 'witnesses', witnesses?.maxUncosignedSeconds),
    ...lintPeers(configuration, isCarried),
  ];
}

function lintPeers({ quorum }: Configuration, isCarried: boolean): ConfigurationFinding[] {
  const subject = 'quorum.witnesses';
  const keyed = (quorum?.peers ?? []).filter(({ witness }) => witness !== undefined).length;
  const group = quorum?.witnesses;
  if (group === undefined) {
    const text = `${keyed} peers have a key by which they cosign, and none has to`;
    return keyed === 0 ? [] : [{ code: 'PEER_WITNESSES_UNUSED', severity: 'warning', subject, text }];
  }
  const { restart, maxUncosignedSeconds, threshold } = group;
  return [
    lintChoice(subject, { k: threshold, n: keyed }, 'rolled back', isCarried),
    {
      code: 'PEER_WITNESSES_ONE_FAULT',
      severity: 'note',
      subject,
      text: 'nodes on one host, in one account or under one administrator are one witness: whoever rolls one back can roll back all of them',
    },
    ...lintWaiver(subject, 'peers', maxUncosignedSeconds),
    ...(restart === undefined
      ? []
      : [
          {
            code: 'PEERLESS_RESTART',
            severity: 'warning',
            subject,
            text: `until ${restart.notAfter} the node starts without peers from the tree with ${restart.size} entries, whether or not it is the newest: compare it with a checkpoint that the parents have not kept`,
          } as const,
        ]),
  ];
}

function lintAbsence(hasPeers: boolean): ConfigurationFinding {
  return hasPeers
    ? {
        code: 'WITNESSES_PEERS_ALONE',
        severity: 'warning',
        subject: 'witnesses',
        text: 'nobody but peers witnesses: a rollback of all nodes together is not noticed, and when all have stopped none starts without a newly signed configuration',
      }
    : {
        code: 'WITNESSES_NONE',
        severity: 'warning',
        subject: 'witnesses',
        text: 'nobody notices a store that is rolled back as a whole, or a paused clone that signs on',
      };
}

/** Counts the witnesses that may lie or forget: two sets of k overlap in at least 2k - n of them, and 2k > n + f. */
const countFaults = ({ k, n }: Choice): number => 2 * k - n - 1;

/** @param isCarried true where another group, which has to cosign as well, is sound by itself */
function lintChoice(
  subject: string,
  { k, n }: Choice,
  forgetful: string,
  isCarried: boolean,
): ConfigurationFinding {
  const choice = `${k} of ${n}`;
  const faults = countFaults({ k, n });
  const down = `${n - k} may be down`;
  if (faults < 0) {
    const text = `${choice}: two histories can each get ${k} cosignatures of honest witnesses; ${Math.floor(n / 2) + 1} of ${n} is the least`;
    return isCarried
      ? {
          code: 'WITNESSES_UNSOUND',
          severity: 'warning',
          subject,
          text: `${text}; what bears a rollback is the group of outside witnesses`,
        }
      : { code: 'WITNESSES_UNSOUND', severity: 'error', subject, text };
  }
  if (faults === 0) {
    const text = `${choice} bears none that lies or was ${forgetful}, ${down}; for one it takes 2k > n + 1, such as 3 of 4`;
    return { code: 'WITNESSES_BEAR_NO_FAULT', severity: 'warning', subject, text };
  }
  const text = `${choice} bears ${faults} that lie or were ${forgetful}, ${down}`;
  return { code: 'WITNESSES_BEAR', severity: 'note', subject, text };
}

function lintWaiver(subject: string, who: string, seconds = 0): ConfigurationFinding[] {
  if (seconds === 0) return [];
  const text = `for ${seconds} s the node signs without ${who}: whoever cuts it off from them has that long`;
  return [{ code: 'WITNESSES_WAIVED', severity: 'warning', subject, text }];
}
