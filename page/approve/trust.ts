import { AWS_NITRO_ROOT_G1, decodeCertificateFile } from '../../attestation/browser.ts';
import { decodeBase64, encodeBase64 } from '../../shared/base64.ts';
import { byId, hex } from '../dom.ts';

/** A mistake that the person at the page can mend. */
export class PageError extends Error {
  override readonly name = 'PageError';
}

/** Maximum length of a file in bytes: a larger file was chosen by mistake. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

/** Files that say whom the approver trusts, and that the browser keeps for the next time. */
type TrustFile = 'manifest' | 'pcrs';
const NAMES: Readonly<Record<TrustFile, string>> = { manifest: "the node's manifest", pcrs: 'the pcr.json' };

/**
 * Manifest and pcr.json as chosen, or as kept from the last time in the storage of this page's origin. Whoever controls
 * the origin controls the page too, so that nothing is lost by that; the digest is shown with each, for a person to
 * compare.
 */
export class TrustFiles {
  readonly #files = new Map<TrustFile, Uint8Array>();

  constructor() {
    for (const role of ['manifest', 'pcrs'] as const) {
      const kept = decodeBase64(readStorage(role) ?? '');
      if (kept !== undefined && kept.length > 0) void this.#take(role, kept, 'kept from the last time');
      const input = byId(role, HTMLInputElement);
      input.addEventListener('change', () => {
        const [file] = input.files ?? [];
        if (file === undefined) return;
        void readFile(file).then((bytes) => {
          writeStorage(role, encodeBase64(bytes));
          return this.#take(role, bytes, file.name);
        });
      });
    }
  }

  /** Returns a file. @throws PageError where none was chosen */
  get(role: TrustFile): Uint8Array {
    const bytes = this.#files.get(role);
    if (bytes === undefined) throw new PageError(`Choose ${NAMES[role]} first.`);
    return bytes;
  }

  async #take(role: TrustFile, bytes: Uint8Array, name: string): Promise<void> {
    this.#files.set(role, bytes);
    const digest = hex(new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(bytes))));
    byId(`${role}-name`, HTMLElement).textContent = `${name}, SHA-256 ${digest}`;
  }
}

/** Reads the root of attestation documents: AWS's own unless another was chosen. @throws AttestationError, PageError */
export async function readRoot(): Promise<Uint8Array> {
  const [file] = byId('root', HTMLInputElement).files ?? [];
  return file === undefined ? AWS_NITRO_ROOT_G1 : decodeCertificateFile(await readFile(file));
}

/** Reads a file that was chosen. @throws PageError */
export async function readFile(file: File): Promise<Uint8Array> {
  if (file.size > MAX_FILE_BYTES) throw new PageError(`${file.name} is far too large for that.`);
  try {
    return new Uint8Array(await file.arrayBuffer());
  } catch {
    throw new PageError(`${file.name} cannot be read any more: choose it again.`);
  }
}

const KEY = (role: TrustFile) => `holdfast-approver/${role}`;

// A browser may keep nothing for a page, and then throws.
function readStorage(role: TrustFile): string | null {
  try {
    return localStorage.getItem(KEY(role));
  } catch {
    return null;
  }
}

function writeStorage(role: TrustFile, text: string): void {
  try {
    localStorage.setItem(KEY(role), text);
  } catch {
    // The file has to be chosen again the next time.
  }
}
