import type { Configuration } from '../../../shared/documents/configuration.ts';
import type { ConfigurationFinding } from './finding.ts';

/** Finds witnesses that bear less than their number suggests. */
export function lintWitnesses({ witnesses }: Configuration): ConfigurationFinding[] {
  const find = (
    code: ConfigurationFinding['code'],
    severity: ConfigurationFinding['severity'],
    text: string,
  ): ConfigurationFinding => ({ code, severity, subject: 'witnesses', text });
  if (witnesses === null) {
    const text = 'nobody notices a store that is rolled back as a whole, or a paused clone that signs on';
    return [find('WITNESSES_NONE', 'warning', text)];
  }
  const { threshold: k, keys, maxUncosignedSeconds } = witnesses;
  const n = keys.length;
  const choice = `${k} of ${n}`;
  // Two sets of k overlap in at least 2k - n witnesses, of whom all but f must be honest: 2k > n + f.
  const faults = 2 * k - n - 1;
  const down = `${n - k} may be down`;
  return [
    faults < 0
      ? find(
          'WITNESSES_UNSOUND',
          'error',
          `${choice}: two histories can each get ${k} cosignatures of honest witnesses; ${Math.floor(n / 2) + 1} of ${n} is the least`,
        )
      : faults === 0
        ? find(
            'WITNESSES_BEAR_NO_FAULT',
            'warning',
            `${choice} bears none that lies or was restored from a backup, ${down}; for one it takes 2k > n + 1, such as 3 of 4`,
          )
        : find(
            'WITNESSES_BEAR',
            'note',
            `${choice} bears ${faults} that lie or were restored from a backup, ${down}`,
          ),
    ...(maxUncosignedSeconds === 0
      ? []
      : [
          find(
            'WITNESSES_WAIVED',
            'warning',
            `for ${maxUncosignedSeconds} s the node signs without witnesses: whoever cuts it off from them has that long`,
          ),
        ]),
  ];
}

/** Finds origins at which a passkey is not safe, or is never given. */
export function lintPasskeys({ approvers }: Configuration): ConfigurationFinding[] {
  return approvers.flatMap(({ id, credentials }) =>
    credentials.flatMap((credential) => {
      if (credential.type !== 'passkey') return [];
      return credential.origins.flatMap((origin) => {
        const host = origin.replace(/^https?:\/\//, '').replace(/:[0-9]+$/, '');
        const isLocal = host === 'localhost' || host.endsWith('.localhost');
        const { relyingParty } = credential;
        const isForeign = host !== relyingParty && !host.endsWith(`.${relyingParty}`);
        const findings: ConfigurationFinding[] = [];
        if (origin.startsWith('http:') && !isLocal) {
          const text = `${origin}: whoever is on the way can alter the page that asks for consent`;
          findings.push({ code: 'PASSKEY_ORIGIN_HTTP', severity: 'error', subject: id, text });
        }
        if (isForeign) {
          const text = `${origin} is not of ${relyingParty}: browsers give the passkey to no such page`;
          findings.push({ code: 'PASSKEY_ORIGIN_FOREIGN', severity: 'warning', subject: id, text });
        }
        return findings;
      });
    }),
  );
}
