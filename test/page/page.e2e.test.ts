import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { formatPcrFile } from '../../attestation/index.ts';
import type * as webAttestation from '../../attestation/browser.ts';
import { buildPage } from '../../scripts/build-page.ts';
import { readVectors } from '../attestation/corpus/files.ts';
import { flipped } from '../attestation/corpus/message-vectors.ts';
import { isExpected } from '../attestation/corpus/verdict.ts';
import type { Expectation, Vector } from '../attestation/corpus/vector.ts';
import * as cbor from '../attestation/forge/cbor.ts';
import { AT } from '../attestation/forge/chain.ts';
import { forgeDocument, forgedPcr } from '../attestation/forge/document.ts';
import { GENUINE, hasGenuineDocuments, readGenuine } from '../attestation/genuine.ts';
import { unsafeParseAttestationDocument } from '../../attestation/index.ts';
import { chromiumPath, launchChromium } from './chromium.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

// Scripts for the page are text: this file's types are Node's, not the browser's.
const FOCUSED = "document.activeElement?.id || document.activeElement?.tagName || ''";
const drop = (files: Readonly<Record<string, string>>): string => `{
  const dataTransfer = new DataTransfer();
  for (const [name, content] of Object.entries(${JSON.stringify(files)})) {
    dataTransfer.items.add(new File([content], name));
  }
  document.body.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
}`;
/** As https://docs.aws.amazon.com/enclaves/latest/user/verify-root.html has it. */
const AWS_ROOT_SHA256 = '641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b';

const DROP_ANSWER = drop({ 'document.json': '{"document": "AAAA"}' });
const DROP = drop({ 'other.json': '{}', 'prose.txt': 'no document, surely' });
const DROP_RESPONSE = drop({
  'response.json': '{"node": 1, "document": "AAAA"}',
  'pcr.json': '[{"Measurements": {}}]',
});

const ROOT = new URL('../../', import.meta.url).pathname;

describe.skipIf(chromiumPath === undefined)('the verifier page, in Chromium and without a network', () => {
  let browser: Browser;
  let page: Page;
  let folder: string;
  const requests: string[] = [];
  const problems: string[] = [];
  const at = (name: string): string => join(folder, name);

  beforeAll(async () => {
    folder = temporaryFolder();
    writeFileSync(at('verifier.html'), await buildPage());
    const { document, root } = forgeDocument((parts) => {
      parts.fields.nonce = cbor.bytes(new TextEncoder().encode('<b id="x">'));
    });
    const pcrs = new Map([0, 1, 2, 8].map((index) => [index, forgedPcr(`PCR${index}`)]));
    writeFileSync(at('doc.cbor'), document);
    writeFileSync(at('doc.b64'), Buffer.from(document).toString('base64'));
    writeFileSync(at('doc.0x'), `0x${Buffer.from(document).toString('hex')}`);
    writeFileSync(at('mark.b64'), `\uFEFF${Buffer.from(document).toString('base64')}`);
    writeFileSync(at('other-answer.json'), JSON.stringify({ attestation_doc: 'AAAA' }));
    writeFileSync(at('mark.json'), `\uFEFF${formatPcrFile(pcrs)}`);
    // What key-policy.md has one save.
    writeFileSync(
      at('document.json'),
      JSON.stringify({ document: Buffer.from(document).toString('base64') }),
    );
    writeFileSync(at('changed.cbor'), flipped(document, document.length - 1));
    writeFileSync(at('noise.bin'), Uint8Array.of(0xff, 0xfe));
    writeFileSync(at('root.der'), root);
    writeFileSync(at('pcr.json'), formatPcrFile(pcrs));
    writeFileSync(at('other.json'), formatPcrFile(new Map(pcrs).set(2, forgedPcr('another'))));
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser.close();
  });

  beforeEach(async () => {
    const context = await browser.newContext({ offline: true, timezoneId: 'America/New_York' });
    page = await context.newPage();
    requests.length = 0;
    problems.length = 0;
    page.on('request', (request) => requests.push(request.url()));
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text());
    });
    await page.goto(pathToFileURL(at('verifier.html')).href);
  });

  afterEach(async () => {
    await page.context().close();
    const [own, ...others] = requests;
    if (own !== pathToFileURL(at('verifier.html')).href || others.length + problems.length > 0) {
      throw new Error(`the page asked for ${others.join()} or complained: ${problems.join()}`);
    }
  });

  async function verdict(): Promise<{ title: string; text: string }> {
    const status = page.getByRole('status', { name: 'Verdict' });
    const title = await status.getByRole('heading').textContent();
    return { title: title ?? '', text: (await status.textContent()) ?? '' };
  }

  async function choose(document: string, pcrs: string): Promise<void> {
    await page.getByLabel('1. The attestation document').setInputFiles(at(document));
    await page.getByLabel('2. The pcr.json of the image').setInputFiles(at(pcrs));
    await page.getByText('Time, nonce and other things').click();
    await page.getByLabel("Another root than AWS's own").setInputFiles(at('root.der'));
    await page.getByLabel('at this time, UTC').check();
    await page.getByLabel('The time, in UTC').fill(new Date(AT).toISOString().slice(0, 19));
  }

  async function verify(): Promise<{ title: string; text: string }> {
    await page.getByRole('button', { name: 'Verify' }).click();
    await page.locator('#verdict:focus').waitFor();
    return verdict();
  }

  test.each(['doc.cbor', 'doc.b64', 'document.json'])('verifies %s', async (name) => {
    await choose(name, 'pcr.json');
    expect((await verify()).title).toBe('Verified');
    const row = page.getByRole('row', { name: /^PCR2 / });
    expect(await row.textContent()).toContain('✓ matches');
    expect(await page.getByRole('table', { name: 'Certificates' }).getByRole('row').count()).toBe(6);
    expect(await page.getByText('✓ valid and signed').count()).toBe(5);
  });

  test.each([
    ['doc.0x', 'pcr.json', 'DOCUMENT_ENCODING'],
    ['mark.b64', 'pcr.json', 'DOCUMENT_ENCODING'],
    ['other-answer.json', 'pcr.json', 'DOCUMENT_ENCODING'],
    ['doc.cbor', 'mark.json', 'PCR_FILE_JSON'],
  ])('says of %s with %s that it cannot be read, which is no verdict', async (document, pcrs, code) => {
    await choose(document, pcrs);
    const { title, text } = await verify();
    expect(title).toBe('Cannot be read');
    expect(text).toContain(code);
    expect(await page.locator('#verdict').getAttribute('data-verdict')).toBe('none');
  });

  test('names the root that the verdict rests on, and never AWS for another one', async () => {
    await choose('doc.cbor', 'pcr.json');
    const { text } = await verify();
    expect(text).toMatch(/NOT AWS's: .*CN=root/);
    expect(text).toContain(
      createHash('sha256')
        .update(readFileSync(at('root.der')))
        .digest('hex'),
    );
    expect(text).not.toMatch(/AWS signed|AWS's own/);
    await page.getByLabel('1. The attestation document').setInputFiles(at('changed.cbor'));
    expect((await verify()).text).not.toContain('AWS');
  });

  test('says that nobody asked for freshness, until somebody does', async () => {
    await choose('doc.cbor', 'pcr.json');
    expect((await verify()).text).toContain('Freshnessnot asked for');
    await page.getByLabel('Nonce that it must carry').fill(Buffer.from('<b id="x">').toString('hex'));
    expect((await verify()).text).toContain('it carries the nonce that you entered');
    await page.getByLabel('Nonce that it must carry').fill('');
    await page.getByLabel('At most this old').fill('300');
    expect((await verify()).text).toContain('at most 300 s old');
  });

  test('shows what a document carries as text, never as HTML', async () => {
    await choose('doc.cbor', 'pcr.json');
    await verify();
    expect(await page.getByText('<b id="x">').count()).toBe(1);
    expect(await page.locator('#x').count()).toBe(0);
  });

  test('refuses another image, and points at the measurement that differs', async () => {
    await choose('doc.cbor', 'other.json');
    const { title, text } = await verify();
    expect(title).toBe('Refused');
    expect(text).toContain('PCR_MISMATCH');
    expect(text).toContain('something other than the image of your pcr.json');
    const culprit = page.locator('tr[aria-current]');
    expect(await culprit.count()).toBe(1);
    expect(await culprit.textContent()).toContain('PCR2');
    expect(await page.getByRole('heading', { name: 'What it claims: not verified' }).count()).toBe(1);
  });

  test('refuses a changed signature, an expired certificate and noise, each by name', async () => {
    await choose('changed.cbor', 'pcr.json');
    expect((await verify()).text).toContain('COSE_SIGNATURE');
    await page.getByLabel('1. The attestation document').setInputFiles(at('doc.cbor'));
    await page.getByLabel('now', { exact: true }).check();
    expect((await verify()).text).toContain('CERTIFICATE_EXPIRED');
    await page.getByLabel('1. The attestation document').setInputFiles(at('noise.bin'));
    expect((await verify()).text).toContain('CBOR_');
    await page.getByLabel('1. The attestation document').setInputFiles(at('doc.cbor'));
    await page.getByLabel('2. The pcr.json of the image').setInputFiles(at('doc.cbor'));
    expect((await verify()).text).toContain('PCR_FILE_JSON');
  });

  test('insists on the nonce that was entered', async () => {
    await choose('doc.cbor', 'pcr.json');
    const nonce = page.getByLabel('Nonce that it must carry');
    await nonce.fill('00');
    expect((await verify()).text).toContain('NONCE_MISMATCH');
    await nonce.fill(Buffer.from('<b id="x">').toString('hex'));
    expect((await verify()).title).toBe('Verified');
    await nonce.fill('xyz');
    expect((await verify()).title).toBe('Not verified yet');
  });

  test('gives no verdict on what it cannot read', async () => {
    writeFileSync(at('prose.txt'), 'no document, surely');
    writeFileSync(at('bad.json'), '{"PCR0": "00"}');
    const isVerdict = () => page.locator('#verdict').getAttribute('data-verdict');
    await choose('prose.txt', 'pcr.json');
    expect(await verify()).toMatchObject({
      title: 'Cannot be read',
      text: expect.stringContaining('DOCUMENT_ENCODING'),
    });
    expect(await isVerdict()).toBe('none');
    await page.getByLabel('1. The attestation document').setInputFiles(at('doc.cbor'));
    await page.getByLabel('2. The pcr.json of the image').setInputFiles(at('bad.json'));
    expect((await verify()).text).toContain('PCR_FILE_VALUE');
    expect(await isVerdict()).toBe('none');
  });

  test('knows a dropped answer of a node from a pcr.json', async () => {
    await choose('doc.cbor', 'pcr.json');
    await page.evaluate(DROP_ANSWER);
    await page.getByText('DOCUMENT_ENCODING').or(page.getByText('CBOR_')).first().waitFor();
    expect(await page.locator('#document-name').textContent()).toBe('document.json');
    expect(await page.locator('#pcrs-name').textContent()).toBe('pcr.json');
  });

  test('says what is missing', async () => {
    expect(await verify()).toMatchObject({
      title: 'Not verified yet',
      text: expect.stringContaining('Choose an'),
    });
  });

  test('takes dropped files, whichever they are', async () => {
    await choose('doc.cbor', 'pcr.json');
    await page.evaluate(DROP);
    await page.getByText('DOCUMENT_ENCODING').waitFor();
    expect(await page.locator('#document-name').textContent()).toBe('prose.txt');
    expect(await page.locator('#pcrs-name').textContent()).toBe('other.json');
  });

  test('takes the response of a node for the document, and any other JSON for pcr.json', async () => {
    await page.evaluate(DROP_RESPONSE);
    await expect.poll(() => page.locator('#document-name').textContent()).toBe('response.json');
    await expect.poll(() => page.locator('#pcrs-name').textContent()).toBe('pcr.json');
  });

  test('can be used with the keyboard alone', async () => {
    await choose('doc.cbor', 'pcr.json');
    // Where the tabulator starts from.
    await page.getByRole('heading', { level: 1 }).click();
    const visited: string[] = [];
    for (let presses = 0; presses < 30; presses += 1) {
      await page.keyboard.press('Tab');
      const focused = await page.evaluate<string>(FOCUSED);
      visited.push(focused);
      if (focused === 'BUTTON') break;
    }
    expect(visited).toEqual(
      expect.arrayContaining(['document', 'pcrs', 'SUMMARY', 'nonce', 'allow-debug', 'BUTTON']),
    );
    await page.keyboard.press('Enter');
    await page.locator('#verdict:focus').waitFor();
    expect((await verdict()).title).toBe('Verified');
  });

  test('gives the verdict of every vector of the corpus', async () => {
    const { outputFiles } = await build({
      entryPoints: [`${ROOT}attestation/browser.ts`],
      bundle: true,
      write: false,
      format: 'iife',
      globalName: 'attestation',
      platform: 'browser',
    });
    const blank = await page.context().newPage();
    // A file is a secure context, which WebCrypto wants.
    writeFileSync(at('blank.html'), '<!doctype html><title>blank</title>');
    await blank.goto(pathToFileURL(at('blank.html')).href);
    await blank.addScriptTag({ content: outputFiles[0]?.text ?? '' });
    const vectors = readVectors();
    const verdicts = await blank.evaluate(judgeInBrowser, vectors);
    const wrong = vectors.filter(
      ({ expect }, index) => !isExpected(verdicts[index] ?? { verdict: 'accept' }, expect),
    );
    expect(verdicts).toHaveLength(vectors.length);
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });

  test.skipIf(!hasGenuineDocuments).each(GENUINE)(
    'tells of $name, which AWS signed',
    async ({ name, debug }) => {
      const document = readGenuine(name);
      writeFileSync(at('genuine'), document);
      const { pcrs } = unsafeParseAttestationDocument(document).payload;
      const image = new Map(
        [...pcrs].map(([index, value]) => [index, debug ? new Uint8Array(48).fill(1) : value]),
      );
      writeFileSync(at('genuine.json'), formatPcrFile(image));
      await page.getByLabel('1. The attestation document').setInputFiles(at('genuine'));
      await page.getByLabel('2. The pcr.json of the image').setInputFiles(at('genuine.json'));
      expect((await verify()).text).toContain('CERTIFICATE_EXPIRED');
      await page.getByText('Time, nonce and other things').click();
      await page.getByLabel('at its own time').check();
      const { title, text } = await verify();
      expect(title).toBe(debug ? 'Refused' : 'Verified');
      expect(text.includes('DEBUG_ENCLAVE')).toBe(debug);
      expect(text.includes('AWS signed this document; and')).toBe(!debug);
      expect(text.includes(AWS_ROOT_SHA256)).toBe(!debug);
    },
  );
});

type WebAttestation = typeof webAttestation;

/** Runs in the browser: the verdicts of all vectors, one after the other, with one verifier and its cache. */
async function judgeInBrowser(vectors: Vector[]): Promise<Expectation[]> {
  const { AttestationError, AttestationVerifier, parsePcrFile } = (
    globalThis as unknown as { attestation: WebAttestation }
  ).attestation;
  const base64 = (text: string): Uint8Array =>
    Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const bytes = (hex: string): Uint8Array =>
    Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const verifier = new AttestationVerifier();
  const verdicts: Expectation[] = [];
  for (const vector of vectors) {
    const { allowDebug = false, kind = 'enclave', nonce, userData, publicKey, ...rest } = vector.options;
    try {
      await verifier.verify(base64(vector.document), {
        root: base64(vector.root),
        at: vector.at === 'document' ? vector.at : Date.parse(vector.at),
        pcrs: parsePcrFile(vector.pcrs, { allowDebug, kind }),
        allowDebug,
        kind,
        ...(nonce === undefined ? {} : { nonce: bytes(nonce) }),
        ...(userData === undefined ? {} : { userData: bytes(userData) }),
        ...(publicKey === undefined ? {} : { publicKey: bytes(publicKey) }),
        ...rest,
      });
      verdicts.push({ verdict: 'accept' });
    } catch (error) {
      if (!(error instanceof AttestationError)) throw error;
      const { field, index } = error.details;
      verdicts.push({
        verdict: 'refuse',
        code: error.code,
        ...(field === undefined ? {} : { field }),
        ...(index === undefined ? {} : { index }),
      });
    }
  }
  return verdicts;
}
