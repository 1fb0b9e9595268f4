export { rollBackCeremony, upgradeCeremony } from './ceremony.ts';
export { openUpgradeJournal } from './infrastructure-upgrade-nodes.ts';
export { findUpgradeState, nameRollBack, nameUpgrade, type UpgradeName, type UpgradeState } from './state.ts';
export { describeUpgrade, type UpgradeStatus } from './status.ts';
export type { Upgrade, UpgradeClient, UpgradeNode } from './upgrade.ts';
