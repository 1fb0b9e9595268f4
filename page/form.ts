import {
  AWS_NITRO_ROOT_G1,
  decodeCertificateFile,
  decodeDocumentFile,
  parsePcrFile,
} from '../attestation/browser.ts';
import type { PcrValues, VerifyOptions } from '../attestation/browser.ts';
import { byId } from './dom.ts';

/** A mistake in the form, which the person at the page can mend: no refusal of the document. */
export class FormError extends Error {
  override readonly name = 'FormError';
}

/** Files that were chosen or dropped, one for each role; a file input cannot hold a file that is dropped beside it. */
export class ChosenFiles {
  readonly #files = new Map<FileRole, File>();

  constructor() {
    for (const role of FILE_ROLES) {
      const input = byId(role, HTMLInputElement);
      input.addEventListener('change', () => {
        const [file] = input.files ?? [];
        if (file !== undefined) this.set(role, file);
      });
    }
  }

  set(role: FileRole, file: File): void {
    this.#files.set(role, file);
    const name = document.getElementById(`${role}-name`);
    if (name !== null) name.textContent = file.name;
  }

  get(role: FileRole): File | undefined {
    return this.#files.get(role);
  }
}

/** Purpose of a file in the form. */
export type FileRole = 'document' | 'pcrs' | 'root';
const FILE_ROLES: readonly FileRole[] = ['document', 'pcrs', 'root'];

/** Maximum length of a file in bytes: a larger file was chosen by mistake. */
const MAX_FILE_BYTES = 1024 * 1024;

/** Guesses the role of a dropped file from its first characters. */
export async function guessRole(file: File): Promise<FileRole> {
  const start = (await file.slice(0, MAX_FILE_BYTES).text()).trimStart();
  // A node's response is a document in JSON.
  if (/^[[{]/.test(start)) return /"document"\s*:/.test(start) ? 'document' : 'pcrs';
  return start.startsWith('-----BEGIN') ? 'root' : 'document';
}

export interface Inputs {
  readonly document: Uint8Array;
  readonly pcrs: PcrValues;
  readonly options: VerifyOptions;
}

/** Reads the document that was chosen, in binary. @throws FormError, AttestationError */
export async function readDocument(files: ChosenFiles): Promise<Uint8Array> {
  return decodeDocumentFile(await readFile(files, 'document', 'Choose an attestation document first.'));
}

/** Reads the options of the verification from the form. @throws FormError, AttestationError */
export async function readOptions(files: ChosenFiles): Promise<VerifyOptions & { pcrs: PcrValues }> {
  const allowDebug = byId('allow-debug', HTMLInputElement).checked;
  const pcrFile = await readFile(files, 'pcrs', 'Choose the pcr.json to compare it with.');
  const root =
    files.get('root') === undefined
      ? AWS_NITRO_ROOT_G1
      : decodeCertificateFile(await readFile(files, 'root', ''));
  const nonce = readHex('nonce', 'nonce');
  const userData = readHex('user-data', 'user data');
  const at = readTime();
  const maxAge = byId('max-age', HTMLInputElement).value;
  if (maxAge !== '' && !/^\d{1,9}$/.test(maxAge))
    throw new FormError('The age is a whole number of seconds.');
  if (maxAge !== '' && at === 'document')
    throw new FormError('At its own time a document has no age: clear one of the two.');
  return {
    root,
    at,
    pcrs: parsePcrFile(pcrFile, { allowDebug }),
    allowDebug,
    ...(maxAge === '' ? {} : { maxAgeMs: Number(maxAge) * 1000 }),
    ...(nonce === undefined ? {} : { nonce }),
    ...(userData === undefined ? {} : { userData }),
  };
}

async function readFile(files: ChosenFiles, role: FileRole, missing: string): Promise<Uint8Array> {
  const file = files.get(role);
  if (file === undefined) throw new FormError(missing);
  if (file.size > MAX_FILE_BYTES) throw new FormError(`${file.name} is far too large for that.`);
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    throw new FormError(`${file.name} cannot be read any more: choose it again.`);
  }
}

function readHex(id: string, name: string): Uint8Array | undefined {
  const digits = byId(id, HTMLInputElement).value.replaceAll(/\s/g, '');
  if (digits === '') return undefined;
  if (!/^(?:[0-9a-f]{2})+$/i.test(digits)) throw new FormError(`The ${name} is not hex.`);
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

function readTime(): number | 'document' {
  const choice = document.querySelector<HTMLInputElement>('input[name="at"]:checked')?.value;
  if (choice === 'document') return 'document';
  if (choice !== 'time') return Date.now();
  const time = Date.parse(`${byId('time', HTMLInputElement).value}Z`);
  if (!(time >= 0)) throw new FormError('Enter the time, or choose another.');
  return time;
}
