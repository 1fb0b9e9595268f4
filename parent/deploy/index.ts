export { deploy, type DeployOptions, type DeployResult } from './deploy.ts';
export { DeployError, type DeployErrorCode } from './errors.ts';
export { createFolderSource } from './folder-source.ts';
export { createLayout } from './layout.ts';
export { createS3Source, parseS3Address } from './s3-source.ts';
export { createServiceManager } from './service-manager.ts';
export { listSnapshots, type Snapshot } from './snapshots.ts';
