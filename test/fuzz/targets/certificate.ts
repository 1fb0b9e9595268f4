import { X509Certificate } from 'node:crypto';
import { parseCertificate } from '../../../attestation/certificate.ts';
import { AttestationError } from '../../../attestation/index.ts';
import { readCertificates } from '../seeds.ts';
import { assertThat, type FuzzTarget } from '../target.ts';

/** Asserts that OpenSSL takes every certificate that we take, and reads the same in it. */
export const target: FuzzTarget = {
  maxBytes: 2048,
  seeds: readCertificates,
  fuzz(data) {
    let ours;
    try {
      ours = parseCertificate(data);
    } catch (error) {
      if (error instanceof AttestationError) return;
      throw error;
    }
    const theirs = new X509Certificate(data);
    assertThat(theirs.raw.equals(data), 'OpenSSL would encode the certificate otherwise');
    assertThat(theirs.validFromDate.getTime() === ours.notBefore, 'notBefore differs');
    assertThat(theirs.validToDate.getTime() === ours.notAfter, 'notAfter differs');
    // OpenSSL asks for more than the flag, the right to sign certificates among it.
    assertThat(!theirs.ca || ours.basicConstraints?.ca === true, 'a CA that is none');
    const serial = theirs.serialNumber.toLowerCase().replace(/^(00)+(?=.)/, '');
    assertThat(serial === Buffer.from(ours.serial).toString('hex'), 'the serial number differs');
  },
};
