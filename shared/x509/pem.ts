/** Longest list of certificates in PEM, in characters. */
export const MAX_CERTIFICATES_PEM = 64 * 1024;

/** Certificates in PEM and nothing between them, one at least. Source: RFC 7468, section 5. */
export const CERTIFICATES_PEM =
  /^(?:-----BEGIN CERTIFICATE-----\r?\n[A-Za-z0-9+/=\r\n]+-----END CERTIFICATE-----\s*)+$/;
