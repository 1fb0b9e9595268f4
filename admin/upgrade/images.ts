import { formatPcrFile, type PcrValues } from '../../attestation/index.ts';
import { IMAGE_PCRS } from '../../attestation/pcr.ts';

/** An image as nodes attest it: PCR0, PCR1 and PCR2, and PCR8 where it is signed. */
export type ImageName = 'old' | 'new';

/** PCRs of the image that nodes of a quorum run before an upgrade, and of the one that they run after it. */
export interface UpgradeImages {
  readonly old: PcrValues;
  readonly new: PcrValues;
}

/** Names the image that a node attests; undefined for one that is neither. */
export function imageOf(attested: PcrValues, images: UpgradeImages): ImageName | undefined {
  const isOf = (image: PcrValues) => textOf(attested) === textOf(image);
  return isOf(images.new) ? 'new' : isOf(images.old) ? 'old' : undefined;
}

function textOf(pcrs: PcrValues): string {
  return formatPcrFile(new Map([...pcrs].filter(([index]) => IMAGE_PCRS.includes(index))));
}
