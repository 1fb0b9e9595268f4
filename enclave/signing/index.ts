export { PolicyError } from './errors.ts';
export {
  createSigningPipeline,
  type DecisionRecord,
  type IndexedSignature,
  type RecordDecision,
  type SigningPipeline,
  type SigningPipelineOptions,
} from './pipeline.ts';
