/** Certificate of an authority that OpenSSL has made, good until 2126. Nobody has its key. */
export const CA_PEM = `-----BEGIN CERTIFICATE-----
MIIBjTCCATOgAwIBAgIUKC2VVC0l8ToONvPADta9KWHNjmUwCgYIKoZIzj0EAwIw
GzEZMBcGA1UEAwwQU2FtcGxlIGF1dGhvcml0eTAgFw0yNjExMzAwMjMzNDlaGA8y
MTI2MTEwNjAyMzM0OVowGzEZMBcGA1UEAwwQU2FtcGxlIGF1dGhvcml0eTBZMBMG
ByqGSM49AgEGCCqGSM49AwEHA0IABAqUWIWJEZbcW2WvaDBrENK9iyLIJxfb+koh
Dl5U8yp3PQAmjvfdWwKxbMZD13IbscjXONGTR4DXEzjA6hWSJTyjUzBRMB0GA1Ud
DgQWBBTt5jgS/I209xxQOyYdGQtAa28aDDAfBgNVHSMEGDAWgBTt5jgS/I209xxQ
OyYdGQtAa28aDDAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQDC
VBmCjXh10rFpLNWNbQ/3ITNQbNqZ8XLirfbOrL/FmAIgWTCBqEltF0Jg0G9N2tTY
ssUe5xFDD9Q5h1kZlmAEJGY=
-----END CERTIFICATE-----
`;

/** Witnesses by keys that "holdfast audit witness-keygen" has made. */
export const WITNESS_1 = {
  url: 'https://w1.witness.example',
  key: 'witness.example/w1+1b811948+BHPXbwxNoCVuZU/Vgxv+csiLggG97YYlMbvvIU3oRRXl',
} as const;
export const WITNESS_2 = {
  url: 'https://w2.witness.example/witness',
  key: 'witness.example/w2+c253bff0+BA8jPUMo7O/QoPkf3BoWngMjXtUrCHxqAYxS6NqyYbMa',
} as const;

/** Optional parts of vault.yaml in which nothing is wrong. */
export const PARTS = {
  store: { postgres: { host: 'postgres.acme.example', port: 5433, cidr: '10.9.0.0/24', ca: CA_PEM } },
  nats: {
    servers: [1, 2, 3].map((server) => `tls://nats-${server}.acme.example:4222`),
    cidr: '10.8.0.0/24',
    ca: CA_PEM,
  },
  witnesses: { threshold: 2, servers: [WITNESS_1, WITNESS_2], maxUncosignedSeconds: 600 },
};
