import { AttestationError, verifyAttestationDocument } from '../attestation/browser.ts';
import { byId } from './dom.ts';
import { ChosenFiles, FormError, guessRole, readDocument, readOptions } from './form.ts';
import { showMistake, showRefused, showUnreadable, showVerified } from './verdict.ts';

const files = new ChosenFiles();
const form = byId('inputs', HTMLFormElement);

/** Number of the latest verification: a slow verdict never replaces a newer one. */
let latest = 0;

async function verify(): Promise<void> {
  latest += 1;
  const number = latest;
  const show = await decide();
  if (number === latest) show();
}

/** Decides what to show; every path ends with a function that shows a verdict, a mistake or an unreadable file. */
async function decide(): Promise<() => void> {
  try {
    const document_ = await readDocument(files);
    const options = await readOptions(files);
    return await judge(document_, options);
  } catch (error) {
    // Thrown by reading the files, before any verdict on the document.
    if (error instanceof AttestationError) return () => showUnreadable(error);
    return () =>
      showMistake(error instanceof FormError ? error.message : 'Something went wrong in this page itself.');
  }
}

async function judge(
  document_: Uint8Array,
  options: Awaited<ReturnType<typeof readOptions>>,
): Promise<() => void> {
  const { pcrs } = options;
  try {
    const verified = await verifyAttestationDocument(document_, options);
    return () => showVerified(verified, pcrs, options);
  } catch (error) {
    if (error instanceof AttestationError) return () => showRefused(error, document_, pcrs);
    throw error;
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  void verify().then(() => byId('verdict', HTMLElement).focus());
});
form.addEventListener('change', () => {
  if (files.get('document') !== undefined && files.get('pcrs') !== undefined) void verify();
});

document.addEventListener('dragover', (event) => {
  event.preventDefault();
  document.body.classList.add('dragging');
});
document.addEventListener('dragleave', () => document.body.classList.remove('dragging'));
document.addEventListener('drop', (event) => {
  event.preventDefault();
  document.body.classList.remove('dragging');
  void take([...(event.dataTransfer?.files ?? [])]);
});

async function take(dropped: readonly File[]): Promise<void> {
  for (const file of dropped) files.set(await guessRole(file), file);
  await verify();
}
