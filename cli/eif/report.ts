import type { EifDescription, EifMeasurements } from '../../attestation/eif/index.ts';
import { formatPcrFile } from '../../attestation/pcr-file.ts';
import { describePcr } from '../../attestation/pcr-meaning.ts';
import { printable } from '../common/printable.ts';

/** Text for PCR2 of an image with one ramdisk: the register of nothing, the same for every such image. */
const EMPTY_PCR2 = 'no ramdisk after the first: binds nothing';

/** Renders `Measurements` as nitro-cli prints them, so that the JSON of a description is a pcr.json too. */
export function measurementsOf(measurements: EifMeasurements): unknown {
  return (JSON.parse(formatPcrFile(measurements)) as { Measurements: unknown }).Measurements;
}

export function describeAsData(description: EifDescription): Record<string, unknown> {
  const { version, architecture, size, crc32, sections, kernel, cmdline, measurements, metadata } =
    description;
  const { bootFaults, signature, defaultMemory, defaultCpus } = description;
  return {
    version,
    architecture,
    size,
    crc32: crc32.toString(16).padStart(8, '0'),
    sections,
    kernel,
    bootFaults,
    cmdline,
    Measurements: measurementsOf(measurements),
    signature:
      signature === undefined
        ? null
        : {
            verified: true,
            algorithm: signature.algorithm,
            subject: signature.certificate.subject,
            issuer: signature.certificate.issuer,
            serialNumber: signature.certificate.serialNumber,
            notBefore: signature.certificate.notBefore,
            notAfter: signature.certificate.notAfter,
            curve: signature.certificate.curve,
          },
    notAttested: { metadata: metadata?.content ?? null, defaultMemory, defaultCpus },
  };
}

export function describeAsText(description: EifDescription, now: Date): string {
  const { version, architecture, size, crc32, sections, cmdline } = description;
  return [
    `enclave image, version ${version}, ${architecture}, ${size} bytes, checksum ${crc32.toString(16).padStart(8, '0')} good`,
    '',
    ...sections.map(({ kind, offset, size: bytes }) => `  ${kind.padEnd(10)} at ${offset}, ${bytes} bytes`),
    '',
    `command line: ${printable(cmdline)}`,
    ...warnings(description),
    '',
    measurementsAsText(
      description.measurements,
      sections.filter(({ kind }) => kind === 'ramdisk').length === 1,
    ),
    '',
    signatureAsText(description, now),
    ...metadataAsText(description),
  ].join('\n');
}

export function measurementsAsText(measurements: EifMeasurements, oneRamdisk = false): string {
  return [...measurements]
    .map(([index, value]) => {
      const note = index === 2 && oneRamdisk ? EMPTY_PCR2 : describePcr(index);
      return `PCR${index} ${Buffer.from(value).toString('hex')}  ${note}`;
    })
    .join('\n');
}

/** Warns of what an image with the expected registers may still hide. */
export function warnings({ kernel, bootFaults }: EifDescription): string[] {
  const bytes = kernel.bytesAfterEnd ?? 0;
  const faults = bootFaults.map((fault) => `WARNING: ${fault}: it would start, never boot, and say nothing.`);
  if (bytes === 0) return faults;
  return [
    ...faults,
    `WARNING: ${bytes} bytes follow the end of the kernel. No register tells where the kernel ends and its command line`,
    '  begins: with the same registers, those bytes may once have been the start of the command line.',
  ];
}

function signatureAsText({ signature }: EifDescription, now: Date): string {
  if (signature === undefined) return 'not signed';
  const { subject, issuer, notBefore, notAfter } = signature.certificate;
  const validity = now < notBefore ? ', NOT YET VALID' : now > notAfter ? ', EXPIRED' : '';
  return [
    `signature good: ${signature.algorithm} over PCR0, by ${subject}`,
    `  issued by ${issuer === subject ? 'itself' : issuer} (not checked: PCR8 is what binds the signer)`,
    `  valid ${notBefore.toISOString()} to ${notAfter.toISOString()}${validity}`,
  ].join('\n');
}

function metadataAsText({ metadata }: EifDescription): string[] {
  if (metadata === undefined) return [];
  const rows = Object.entries(metadata.content).map(
    ([name, value]) => `  ${printable(name)}: ${printable(JSON.stringify(value))}`,
  );
  return ['', 'metadata, not attested: whoever writes an image may write anything here', ...rows];
}
