export type { Identity } from './identity.ts';
export { type ConfigurationBody, openSite, type Site } from './site.ts';
export { runNode, type RunOptions, type StartedNode } from './run-node.ts';
export { siteParentOptions } from './site-parent.ts';
export { openWorld, type World } from './world.ts';
export { bringUp, type LocalNode } from './up.ts';
