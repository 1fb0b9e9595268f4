import { deriveManifest, measureManifest } from '../derive/manifest.ts';
import { roleOfNode } from '../index.ts';
import type { StepContext } from './context.ts';
import type { Step } from './step.ts';
import { needStatement } from './support.ts';

/** Step that writes a node's manifest, which names the key that the stack has made. */
export function nodeManifest(node: number): Step<'manifest'> {
  const role = roleOfNode(node);
  const derive = async (context: StepContext) => {
    const { facts } = await needStatement(context, role, 'kms-stack');
    const bytes = deriveManifest(context.vault, node, facts);
    return { bytes, measured: measureManifest(bytes) };
  };
  return {
    id: `${role}/manifest`,
    role,
    name: 'manifest',
    stage: 1,
    summary: 'write the manifest, by which KMS will know the node',
    needs: [`${role}/kms-stack`],
    async inspect(context) {
      const { measured } = await derive(context);
      const stated = await context.exchange.statement(role, 'manifest');
      if (stated?.facts.manifest === measured.digest) return { state: 'done' };
      return { state: 'ready', changes: [`writes the manifest of node ${node}, PCR16 ${measured.pcr16}`] };
    },
    async apply(context) {
      const { bytes, measured } = await derive(context);
      return {
        facts: { manifest: measured.digest, pcr16: measured.pcr16 },
        files: [{ name: 'manifest.json', bytes }],
      };
    },
  };
}
