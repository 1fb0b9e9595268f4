import { writeVectors } from './files.ts';
import { forgeVectors } from './index.ts';

// node test/attestation/corpus/write.ts
writeVectors(forgeVectors());
