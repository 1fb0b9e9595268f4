export { addCheckpoint } from './add-checkpoint.ts';
export { NodeWitness } from './node-witness.ts';
export { isPeerlessRestart } from './peerless-restart.ts';
export { WitnessedTrees } from './witnessed-trees.ts';
