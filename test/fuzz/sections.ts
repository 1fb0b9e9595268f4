/** One section of an image, as a reader finds it that knows no table and walks from one header to the next. */
export interface WalkedSection {
  readonly type: number;
  readonly content: Uint8Array;
}

export function* walkSections(image: Uint8Array): Generator<WalkedSection, void, void> {
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  for (let offset = 548; offset < image.length;) {
    const start = offset + 12;
    const end = start + Number(view.getBigUint64(offset + 4));
    yield { type: view.getUint16(offset), content: image.subarray(start, end) };
    offset = end;
  }
}
