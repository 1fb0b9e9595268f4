import { openNitroPlatform, runEnclave } from './platform/index.ts';

// The program of the image. It takes nothing from outside: no argument, no environment, no option.
await runEnclave(openNitroPlatform);
