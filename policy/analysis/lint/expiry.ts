import type { Configuration } from '../../../shared/documents/configuration.ts';
import type { ConfigurationFinding } from './finding.ts';

/**
 * Finds what ends, and what ends together.
 *
 * @param now milliseconds since 1970
 */
export function lintExpiry({ rules, notAfter }: Configuration, now: number): ConfigurationFinding[] {
  const findings: ConfigurationFinding[] = [];
  if (notAfter !== undefined) {
    const isOver = Date.parse(notAfter) < now;
    findings.push({
      code: isOver ? 'CONFIGURATION_OVER' : 'CONFIGURATION_EXPIRES',
      severity: isOver ? 'error' : 'note',
      subject: null,
      text: `${isOver ? 'ended' : 'ends'} at ${notAfter}: from then on every request is denied`,
    });
  }
  const together = new Map<number, string[]>();
  for (const { id, effect, time } of rules) {
    if (time === null || time.notAfter === null) continue;
    const end = Date.parse(time.notAfter);
    if (end < now) {
      const words = effect === 'deny' ? 'it denies nothing any more' : 'it permits nothing any more';
      const severity = effect === 'deny' ? 'error' : 'warning';
      findings.push({
        code: 'RULE_EXPIRED',
        severity,
        subject: id,
        text: `ended at ${time.notAfter}: ${words}`,
      });
      continue;
    }
    together.set(end, [...(together.get(end) ?? []), id]);
  }
  for (const [end, ids] of together) {
    if (ids.length < 2) continue;
    const text = `${ids.slice(0, 16).join(', ')} end at ${new Date(end).toISOString()}: what needs one of them needs a new configuration before`;
    findings.push({ code: 'RULES_EXPIRE_TOGETHER', severity: 'warning', subject: null, text });
  }
  return findings;
}
