import { openNitroPlatform, runEnclave } from './platform/index.ts';

// The program of the image: no argument, environment variable or option changes what it does.
await runEnclave(openNitroPlatform);
