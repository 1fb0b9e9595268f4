/** Reports to the test outside: a line on the console of the guest. */
export function report(name: string, fields: Record<string, unknown> = {}): void {
  process.stdout.write(`holdfast-test ${JSON.stringify({ report: name, ...fields })}\n`);
}
