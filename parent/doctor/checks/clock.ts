import { kmsHost } from '../../../shared/aws/kms-host.ts';
import { amazonTrustRoots } from '../../../shared/aws/trust-roots.ts';
import type { Check, CheckContext } from './check.ts';
import { fail, ok, skip, warn } from './check-result.ts';
import { dialTarget } from './egress.ts';

/**
 * Largest skew in milliseconds. AWS refuses a signature that is five minutes off; an enclave starts with its host's
 * time.
 */
const MAX_SKEW_MS = 60_000;
const REMARKABLE_SKEW_MS = 5_000;

const synchronisedCheck: Check = {
  part: 'time',
  title: 'synchronised',
  async run({ host, signal }) {
    let synchronised: string | undefined;
    try {
      const { status, stdout } = await host.run(
        'timedatectl',
        ['show', '--property=NTPSynchronized'],
        signal,
      );
      synchronised = status === 0 ? /^NTPSynchronized=(yes|no)$/m.exec(stdout)?.[1] : undefined;
    } catch {
      synchronised = undefined;
    }
    if (synchronised === undefined) return [skip('NOT_APPLICABLE', 'timedatectl does not answer here')];
    return synchronised === 'yes'
      ? [ok('the clock is synchronised')]
      : [
          warn('CLOCK_NOT_SYNCHRONISED', 'nothing keeps the clock right', {
            advice: 'let chrony do it; on EC2 it asks 169.254.169.123',
            command: 'sudo systemctl enable --now chronyd && chronyc waitsync 10',
          }),
        ];
  },
};

const skewCheck: Check = {
  part: 'time',
  title: 'against AWS',
  needs: ['config', 'network'],
  deadlineMs: 10_000,
  async run(context) {
    const date = await askKmsDate(context);
    if (date === undefined) return [skip('NOT_APPLICABLE', 'KMS gives no date: see "network"')];
    // A Date header is cut to whole seconds: its middle is half a second later.
    const skewMs = Math.abs(context.host.clock() - (date + 500));
    const text = `the clock is ${(skewMs / 1_000).toFixed(skewMs < 10_000 ? 1 : 0)} s off that of AWS`;
    const mend = { advice: 'set it, and let chrony keep it', command: 'sudo chronyc makestep' };
    if (skewMs > MAX_SKEW_MS)
      return [fail('CLOCK_SKEWED', `${text}: AWS will refuse what is signed here`, mend)];
    return [skewMs > REMARKABLE_SKEW_MS ? warn('CLOCK_SKEWED', text, mend) : ok(text)];
  },
};

/** Asks a KMS on the allow-list for its time, milliseconds since 1970. */
async function askKmsDate(context: CheckContext): Promise<number | undefined> {
  const region = context.config?.region ?? context.instance.metadata?.region;
  const target = context.config?.egress.allowlist.find(({ host }) =>
    region === undefined ? host.startsWith('kms.') : host === kmsHost(region),
  );
  if (target === undefined) return undefined;
  try {
    const [to] = await dialTarget(target, context);
    if (to === undefined) return undefined;
    const roots = amazonTrustRoots();
    const date = await context.host.askDate({ name: target.host, ...to, roots }, context.signal);
    const time = Date.parse(date ?? '');
    return Number.isNaN(time) ? undefined : time;
  } catch {
    return undefined;
  }
}

export const clockChecks: readonly Check[] = [synchronisedCheck, skewCheck];
