export { PolicyError } from './errors.ts';
export {
  createSigningPipeline,
  type DecisionRecord,
  type RecordDecision,
  type SigningPipeline,
  type SigningPipelineOptions,
} from './pipeline.ts';
