export { tezosSectionSchema, type TezosSection } from './config.ts';
export { listServedKeys, type ServedKey } from './directory.ts';
export { createTezosProtocol, type TezosDoorOptions, type TezosNodes } from './door.ts';
