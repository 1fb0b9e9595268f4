import type { Host } from './host.ts';

/** Reads properties of a systemd unit; undefined where this machine has no systemd to ask. */
export async function showUnit(
  host: Host,
  unit: string,
  properties: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    const args = ['show', unit, '--no-pager', ...properties.map((name) => `--property=${name}`)];
    const { status, stdout } = await host.run('systemctl', args, signal);
    if (status !== 0) return undefined;
    return new Map(
      stdout
        .split('\n')
        .filter((line) => line.includes('='))
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
  } catch {
    return undefined;
  }
}
