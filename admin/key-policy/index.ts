export { pinManifest, pinManifestIfUnnamed } from './images.ts';
export { signGateRecord } from './record.ts';
