import type { ConfigurationDocument1, Rule1 } from './format-1.ts';
import type { ConfigurationDocument2 } from './format-2.ts';
import { type PermitRule, UNLIMITED } from './rules.ts';

/**
 * A configuration as all code sees it, whichever format it was written in: the permissions of one node. Its version only
 * grows, it names the manifest of the node, and as many authorities as that manifest asks for have signed it.
 */
export type Configuration = Omit<ConfigurationDocument2, 'format'> & {
  /** The format that it was written in. */
  readonly format: ConfigurationDocument1['format'] | ConfigurationDocument2['format'];
};

/** Reads format 1 as format 2: each rule is a permit over blind payloads, and all that format 1 lacks is empty. */
export function upgradeConfiguration({
  clients,
  keys,
  rules,
  ...rest
}: ConfigurationDocument1): Configuration {
  return {
    ...rest,
    clients: clients.map((client) => ({ ...client, person: null })),
    clientGroups: [],
    keys: keys.map((key) => ({ ...key, networks: [] })),
    approvers: [],
    approverGroups: [],
    addressBooks: [],
    witnesses: null,
    rules: rules.map(upgradeRule),
  };
}

function upgradeRule(rule: Rule1): PermitRule {
  return {
    ...UNLIMITED,
    ...rule,
    effect: 'permit',
    effects: [{ type: 'blind', to: null, assets: null, contracts: null, amount: null }],
  };
}
