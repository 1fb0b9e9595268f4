import { describeKey, describeRule } from '../../policy/index.ts';
import type { ConfigurationFile } from './file.ts';

/** A configuration in words: the identifiers in it are plain ASCII by its schema. */
export function describeConfiguration({ configuration, digest }: ConfigurationFile): string {
  const { version, manifest, notAfter, initialise, clients, keys, rules } = configuration;
  return [
    `configuration, version ${version}`,
    `  SHA-384   ${digest}`,
    `  manifest  ${manifest}`,
    `  until     ${notAfter ?? 'the next one: it does not expire'}`,
    ...(initialise === undefined
      ? []
      : [
          `  ORDERS to start an empty store (${initialise.id}), until ${initialise.notAfter}, password ${initialise.password}`,
        ]),
    `  clients   ${clients.length === 0 ? 'none' : ''}`.trimEnd(),
    ...clients.map(({ id, publicKey }) => `    ${id}: key ${publicKey}`),
    `  keys      ${keys.length === 0 ? 'none' : ''}`.trimEnd(),
    ...keys.map((key) => `    ${key.id}: ${describeKey(key)}`),
    `  rules     ${rules.length === 0 ? 'none: nothing is allowed' : ''}`.trimEnd(),
    ...rules.map((rule) => `    ${rule.id}: ${describeRule(rule)}`),
  ].join('\n');
}
