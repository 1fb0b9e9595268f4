import { open } from 'node:fs/promises';
import { isIP } from 'node:net';
import { normaliseHost } from './targets.ts';

/** Maximum of bytes read of a hosts file. */
const MAX_HOSTS_BYTES = 256 * 1024;

/**
 * Finds the addresses that a file like /etc/hosts has for a name: hosts(5). Empty where there is no file.
 * @param host in the spelling of `normaliseHost`
 */
export async function readHostsFile(path: string, host: string): Promise<readonly string[]> {
  let text: string;
  try {
    await using file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_HOSTS_BYTES), 0, MAX_HOSTS_BYTES, 0);
    text = buffer.toString('latin1', 0, bytesRead);
  } catch {
    return [];
  }
  return text.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/);
    return isIP(address) !== 0 && names.some((name) => normaliseHost(name) === host) ? [address] : [];
  });
}
