import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { RawClient, startTestDoor } from './door.ts';

const doors: Awaited<ReturnType<typeof startTestDoor>>[] = [];
const start = async (options?: Parameters<typeof startTestDoor>[0]) => {
  const door = await startTestDoor(options);
  doors.push(door);
  return door;
};
afterEach(async () => {
  for (const { server } of doors.splice(0)) await server.close();
});

/** Sends one request by hand, and returns the status and body of its response. */
async function send(to: number | string, fields: string, line = 'POST / HTTP/1.1'): Promise<string> {
  const client = await RawClient.open(to);
  client.socket.write(`${line}\r\n${fields}Content-Length: 0\r\nConnection: close\r\n\r\n`);
  await client.ended;
  client.socket.destroy();
  return `${/^HTTP\/1\.1 ([0-9]+)/.exec(client.text)?.[1]} ${client.text.split('\r\n\r\n')[1]}`;
}

describe('a page in a browser', () => {
  const host = 'Host: 127.0.0.1:1\r\n';
  it.each([
    ['names its origin', `${host}Origin: https://page.example\r\n`],
    ['hides its origin', `${host}Origin: null\r\n`],
    ['is of this host, too', `${host}Origin: http://localhost:3000\r\n`],
    ['loads a picture', `${host}Sec-Fetch-Site: cross-site\r\n`],
    ['is of the same site', `${host}Sec-Fetch-Site: same-origin\r\n`],
    ['has its own name lead here', 'Host: page.example:8500\r\n'],
    ['has its own name lead here, with the root', 'Host: page.example.:8500\r\n'],
    ['has a name like an address', 'Host: 127.0.0.1.page.example\r\n'],
    ['has a name like the loopback', 'Host: LOCALHOST.page.example\r\n'],
  ])('that %s reaches neither the protocol nor the probes', async (_, fields) => {
    let handled = 0;
    const { port, events } = await start({
      handle: () => {
        handled += 1;
        return Promise.reject(new Error('not for pages'));
      },
    });
    expect(await send(port, fields)).toBe('403 PAGE_REFUSED');
    expect(await send(port, fields, 'GET /readyz HTTP/1.1')).toBe('403 PAGE_REFUSED');
    expect(handled).toBe(0);
    expect(events.map(({ code }) => code)).toEqual(['PAGE_REFUSED', 'PAGE_REFUSED']);
  });

  it.each([
    'Host: 127.0.0.1\r\n',
    'Host: 10.0.0.7:8500\r\n',
    'Host: [::1]:8500\r\n',
    'Host: localhost:8500\r\n',
    'Host: signer.localhost\r\n',
    'Host: signer\r\n',
    'Host: localhost\r\nSec-Fetch-Site: none\r\nSec-Fetch-Mode: cors\r\n',
  ])('is not a program that sends %j', async (fields) => {
    const { port } = await start();
    expect(await send(port, fields)).toBe('200 ');
  });

  it('is known by its origin alone where each request is signed, and reaches no socket', async () => {
    const signed = await start({ isAuthenticated: true });
    expect(await send(signed.port, 'Host: kms.example\r\n')).toBe('200 ');
    expect(await send(signed.port, 'Host: kms.example\r\nOrigin: https://page.example\r\n')).toBe(
      '403 PAGE_REFUSED',
    );
    const unix = join(temporaryFolder(), 'door');
    await start({ listen: { unix } });
    expect(await send(unix, 'Host: any.example\r\n')).toBe('200 ');
  });
});
