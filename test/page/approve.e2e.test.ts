import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openApprovalDoor } from '../../parent/approvals/door.ts';
import type { Door } from '../../parent/common/door.ts';
import { silentLog } from '../../parent/common/log.ts';
import type { ApproverEntry } from '../../policy/approvals/index.ts';
import { buildPage } from '../../scripts/build-page.ts';
import type { ReviewResponse } from '../../shared/api/requests.ts';
import { PARENT_CID } from '../../shared/transport/ports.ts';
import { createUnixTransport } from '../../shared/transport/unix-transport.ts';
import { CAROL, DAVE, makeTransfer, type NodeChanges, WaitingNode } from '../approvals/waiting-node.ts';
import { KeyHolder } from '../policy/approvals/people.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { chromiumPath, launchChromium } from './chromium.ts';

const ENCLAVE_CID = 16;
const ETHER = 10n ** 18n;
const TRANSFER = makeTransfer(CAROL, 3n * ETHER);
const FOCUSED = "document.activeElement?.id || document.activeElement?.tagName || ''";
const AUTHENTICATOR = {
  protocol: 'ctap2',
  transport: 'internal',
  hasResidentKey: true,
  hasUserVerification: true,
  isUserVerified: true,
  automaticPresenceSimulation: true,
} as const;

/** Serves text on a free port of loopback, which is a secure context for a browser. */
async function serve(body: (url: string) => string): Promise<Server> {
  const server = createServer((request, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(body(request.url ?? ''));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return server;
}

const portOf = (server: Server) => (server.address() as AddressInfo).port;

describe.skipIf(chromiumPath === undefined)(
  'the approver page, in Chromium with a virtual authenticator',
  () => {
    const bob = new KeyHolder('bob');
    let browser: Browser;
    let server: Server;
    let origin: string;
    let page: Page;
    let session: CDPSession;
    let authenticatorId: string;
    let alice: ApproverEntry;
    const closers: (() => Promise<unknown>)[] = [];
    const problems: string[] = [];

    beforeAll(async () => {
      const html = await buildPage('approver');
      server = await serve((url) => (url === '/frame' ? '<iframe src="/"></iframe>' : html));
      origin = `http://localhost:${portOf(server)}`;
      browser = await launchChromium();
    });

    afterAll(async () => {
      await browser.close();
      server.close();
    });

    beforeEach(async () => {
      const context = await browser.newContext();
      page = await context.newPage();
      session = await context.newCDPSession(page);
      await session.send('WebAuthn.enable');
      const added = await session.send('WebAuthn.addVirtualAuthenticator', { options: AUTHENTICATOR });
      ({ authenticatorId } = added);
      problems.length = 0;
      page.on('pageerror', (error) => problems.push(error.message));
      await page.goto(origin);
      alice = await register('alice');
    });

    afterEach(async () => {
      await page.context().close();
      for (const close of closers.splice(0)) await close();
      if (problems.length > 0) throw new Error(`the page complained: ${problems.join()}`);
    });

    async function register(name: string): Promise<ApproverEntry> {
      await page.locator('#register summary').focus();
      await page.keyboard.press('Enter');
      await page.keyboard.press('Tab');
      await page.keyboard.type(name);
      await page.keyboard.press('Enter');
      const entry = await page.locator('#entry pre').textContent();
      return JSON.parse(entry ?? '') as ApproverEntry;
    }

    /** Starts a node, and a door of its parent for the page. */
    async function start(
      changes: NodeChanges = {},
      origins = [origin],
    ): Promise<{ node: WaitingNode; door: Door }> {
      const node = await WaitingNode.start([alice, bob.entry], changes);
      const directory = temporaryFolder();
      const api = await node.serve(createUnixTransport({ directory, cid: ENCLAVE_CID }));
      const door = await openApprovalDoor({
        port: 0,
        origins,
        transport: createUnixTransport({ directory, cid: PARENT_CID }),
        to: { cid: ENCLAVE_CID, port: 443 },
        log: silentLog,
      });
      closers.push(
        () => door.close(),
        () => api.close(),
      );
      return { node, door };
    }

    const addressOf = ({ port }: { port: number }) => `http://127.0.0.1:${port}`;

    async function open(node: WaitingNode, door: string, id: string): Promise<void> {
      // A fragment alone does not load the page again.
      await page.goto('about:blank');
      await page.goto(`${origin}/#door=${encodeURIComponent(door)}&id=${id}`);
      await chooseFiles(node);
    }

    async function chooseFiles(node: WaitingNode): Promise<void> {
      const file = (name: string, content: Uint8Array | string) => ({
        name,
        mimeType: 'application/octet-stream',
        buffer: Buffer.from(content),
      });
      await page.locator('#manifest').setInputFiles(file('manifest.json', node.manifest));
      await page.locator('#pcrs').setInputFiles(file('pcr.json', node.pcrs));
      await page.locator('#root').setInputFiles(file('root.der', node.root.certificate));
      await page.getByText('manifest.json, SHA-256').waitFor();
      await page.getByText('pcr.json, SHA-256').waitFor();
    }

    /** Presses Tab until an element has the focus. */
    async function tabTo(id: string): Promise<void> {
      for (let presses = 0; presses < 40; presses += 1) {
        if ((await page.evaluate<string>(FOCUSED)) === id) return;
        await page.keyboard.press('Tab');
      }
      throw new Error(`no Tab leads to ${id}`);
    }

    async function show(): Promise<string> {
      await page.getByRole('button', { name: 'Show the request' }).click();
      await page.locator('#verdict:focus').waitFor();
      return (await page.locator('#verdict').textContent()) ?? '';
    }

    async function press(id: 'approve' | 'reject'): Promise<string> {
      await tabTo(id);
      await page.keyboard.press('Enter');
      await page.locator('#outcome:focus').waitFor();
      return (await page.locator('#outcome').textContent()) ?? '';
    }

    test('approves by keyboard alone, and the node counts it', async () => {
      const { node, door } = await start();
      const id = node.ask(TRANSFER);
      await open(node, addressOf(door), id);
      await tabTo('door');
      await tabTo('id');
      await page.keyboard.press('Enter');
      await page.locator('#verdict:focus').waitFor();
      const text = (await page.locator('#verdict').textContent()) ?? '';
      expect(text).toContain('Sends 3 ETH');
      expect(text).toContain(`Carol & Sons (suppliers) ${CAROL}`);
      expect(text).toContain('Fee, at most');
      expect(text).not.toContain('no address book');
      expect(await press('approve')).toContain('Approved');
      expect(node.requests.approvalsOf(id).map(({ approver }) => approver)).toEqual(['alice']);
      expect(await press('approve')).toContain('APPROVAL_REPEATED');
    });

    test('rejects, which binds', async () => {
      const { node, door } = await start();
      const id = node.ask(TRANSFER);
      await open(node, addressOf(door), id);
      await show();
      expect(await press('reject')).toContain('Rejected');
      expect(node.requests.find(id).state).toBe('rejected');
    });

    test('keeps manifest and pcr.json for the next time, and shows their digests', async () => {
      const { node, door } = await start();
      await open(node, addressOf(door), node.ask(TRANSFER));
      await page.goto('about:blank');
      await page.goto(origin);
      await page.getByText('kept from the last time, SHA-256').first().waitFor();
      expect(await page.getByText('kept from the last time, SHA-256').count()).toBe(2);
    });

    test('shows what is unusual, and labels as text', async () => {
      const { node, door } = await start({ label: '<b id="x">Bank</b>' });
      const blind = node.ask({ kind: 'digest', digest: 'ab'.repeat(32) });
      await open(node, addressOf(door), blind);
      expect(await show()).toContain('Signs bytes that nobody here can read');
      await page.locator('#id').fill(node.ask(TRANSFER));
      expect(await show()).toContain('<b id="x">Bank</b>');
      expect(await page.locator('#x').count()).toBe(0);
    });

    test('does not sign where the authenticator cannot verify its user', async () => {
      const { node, door } = await start();
      const id = node.ask(TRANSFER);
      await open(node, addressOf(door), id);
      await show();
      await session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified: false });
      expect(await press('approve')).toContain('Not recorded');
      expect(node.requests.approvalsOf(id)).toEqual([]);
    });

    test.each<[string, NodeChanges, string]>([
      ['an enclave with another manifest', { measured: Uint8Array.of(1) }, 'PCR_MISMATCH'],
      [
        'another receipt key',
        { userData: { format: 'holdfast-node/2', receiptKey: '33'.repeat(32) } },
        'REVIEW_SIGNATURE_INVALID',
      ],
      ['no receipt key', { userData: {} }, 'REVIEW_KEY_UNATTESTED'],
      [
        'a node that shows another recipient than it signs for',
        { alter: (pending) => JSON.parse(JSON.stringify(pending).replaceAll(CAROL, DAVE)) as typeof pending },
        'REVIEW_READINGS_DIFFER',
      ],
      [
        'a node that shows a small transaction and submits another',
        {
          alter: (pending) => ({
            ...pending,
            request: { ...pending.request, payload: makeTransfer(CAROL, 1n) },
          }),
        },
        'REVIEW_OTHER_REQUEST',
      ],
    ])('refuses %s', async (_, changes, code) => {
      const { node, door } = await start(changes);
      await open(node, addressOf(door), node.ask(TRANSFER));
      expect(await show()).toContain(code);
      expect(await page.locator('#decision').isHidden()).toBe(true);
    });

    test('refuses a parent that shows one request and takes the vote for another', async () => {
      const { node } = await start();
      const [harmless, dear] = [
        node.ask(makeTransfer(CAROL, 1n)),
        node.ask(makeTransfer(DAVE, 900n * ETHER)),
      ];
      const parent = await hostileParent(async () => await node.review(harmless));
      await open(node, parent, dear);
      expect(await show()).toContain('REVIEW_OTHER_REQUEST');
    });

    test('sees that a parent has dropped its vote, whatever the parent says', async () => {
      const { node } = await start();
      const id = node.ask(TRANSFER);
      const parent = await hostileParent(async () => await node.review(id));
      await open(node, parent, id);
      await show();
      expect(await press('approve')).toContain("the node's signed list of votes does not have it");
      expect(node.requests.approvalsOf(id)).toEqual([]);
    });

    test('refuses a parent that changes one byte, and one that responds with something else', async () => {
      const { node } = await start();
      const id = node.ask(TRANSFER);
      const review = await node.review(id);
      const envelope = JSON.parse(Buffer.from(review.envelope, 'base64').toString()) as { payload: string };
      const text = Buffer.from(envelope.payload, 'base64').toString();
      envelope.payload = Buffer.from(text.replace('"large"', '"small"')).toString('base64');
      const altered = Buffer.from(JSON.stringify(envelope)).toString('base64');
      let response: unknown = { ...review, envelope: altered };
      const parent = await hostileParent(() => Promise.resolve(response as ReviewResponse));
      await open(node, parent, id);
      expect(await show()).toContain('REVIEW_SIGNATURE_INVALID');
      response = { hello: 1 };
      expect(await show()).toContain('REVIEW_MALFORMED');
    });

    test('has nobody decide whose passkey is for another page', async () => {
      alice = {
        ...alice,
        credentials: alice.credentials.map((credential) => ({
          ...credential,
          origins: ['https://elsewhere.example'],
        })),
      };
      const { node, door } = await start();
      await open(node, addressOf(door), node.ask(TRANSFER));
      await show();
      expect(await page.locator('#outcome').textContent()).toContain('Nobody can decide here');
    });

    test('shows nothing within another page', async () => {
      const { node, door } = await start();
      const id = node.ask(TRANSFER);
      await page.goto(`${origin}/frame`);
      const frame = page.frameLocator('iframe');
      await frame.locator('#door').fill(addressOf(door));
      await frame.locator('#id').fill(id);
      await frame.getByRole('button', { name: 'Show the request' }).click();
      await frame.getByText('Open this page by itself').waitFor();
      expect(await frame.locator('#decision').isHidden()).toBe(true);
    });

    test('cannot read from a parent that does not name its origin', async () => {
      const { node, door } = await start({}, []);
      await open(node, addressOf(door), node.ask(TRANSFER));
      expect(await show()).toContain('does not respond');
    });

    /** A parent that gives reviews as it likes, and says of every vote that it counts. */
    async function hostileParent(review: () => Promise<ReviewResponse>): Promise<string> {
      const hostile = createServer((request, response) => {
        response.setHeader('access-control-allow-origin', '*');
        response.setHeader('access-control-allow-headers', '*');
        void (async () => {
          const body = request.url?.endsWith('/review') === true ? await review() : { state: 'waiting' };
          response.end(JSON.stringify(body));
        })();
      });
      await new Promise<void>((resolve) => {
        hostile.listen(0, '127.0.0.1', resolve);
      });
      closers.push(async () => {
        hostile.closeAllConnections();
        await Promise.resolve(hostile.close());
      });
      return addressOf({ port: portOf(hostile) });
    }
  },
);
