import type { Configuration } from '../../../shared/documents/configuration.ts';
import type { ConfigurationFinding } from './finding.ts';

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
