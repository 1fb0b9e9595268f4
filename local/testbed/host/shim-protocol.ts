import { z } from 'zod';

/** Call of a program on a stand-in host, as its shim passes it on. */
export const shimRequestSchema = z.strictObject({
  program: z.enum(['systemctl', 'nitro-cli']),
  args: z.array(z.string()).max(64),
});

/** What the program would have printed, and its exit code. */
export interface ShimResponse {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

export const said = (stdout = ''): ShimResponse => ({ exit: 0, stdout, stderr: '' });
export const failed = (stderr: string, exit = 1): ShimResponse => ({
  exit,
  stdout: '',
  stderr: `${stderr}\n`,
});
