import { z } from 'zod';

/** Call of a program on a stand-in host, as its shim passes it on. */
export const shimRequestSchema = z.strictObject({
  program: z.enum(['systemctl', 'nitro-cli']),
  args: z.array(z.string()).max(64),
});

/** What the program would have printed, and its exit code. */
export const shimResponseSchema = z.strictObject({ exit: z.int(), stdout: z.string(), stderr: z.string() });
export type ShimResponse = z.infer<typeof shimResponseSchema>;

export const said = (stdout = ''): ShimResponse => ({ exit: 0, stdout, stderr: '' });
export const failed = (stderr: string, exit = 1): ShimResponse => ({
  exit,
  stdout: '',
  stderr: `${stderr}\n`,
});
