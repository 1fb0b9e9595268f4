/** A value of a polynomial over GF(256), for each byte of a secret. */
export interface Point {
  readonly x: number;
  readonly y: Uint8Array;
}

const { exponents, logarithms } = makeTables();

/** Powers of 3, and their inverse, modulo x^8 + x^4 + x^3 + x + 1. */
function makeTables() {
  const exponents = new Uint8Array(255);
  const logarithms = new Uint8Array(256);
  let power = 1;
  for (let exponent = 0; exponent < 255; exponent += 1) {
    exponents[exponent] = power;
    logarithms[power] = exponent;
    power ^= power << 1;
    if ((power & 0x100) !== 0) power ^= 0x11b;
  }
  return { exponents, logarithms };
}

const log = (value: number): number => logarithms[value] ?? 0;

/** Computes the polynomial's value at x from as many points as its degree and one (Lagrange). The caller clears it. */
export function interpolate(points: readonly Point[], x: number): Uint8Array<ArrayBuffer> {
  const known = points.find((point) => point.x === x);
  if (known !== undefined) return new Uint8Array(known.y);
  const result = new Uint8Array(points[0]?.y.length ?? 0);
  const product = points.reduce((sum, point) => sum + log(point.x ^ x), 0);
  for (const point of points) {
    const others = points.reduce((sum, other) => sum + log(point.x ^ other.x), 0);
    const basis = (((product - log(point.x ^ x) - others) % 255) + 255) % 255;
    for (const [index, value] of point.y.entries()) {
      const term = value === 0 ? 0 : (exponents[(log(value) + basis) % 255] ?? 0);
      result[index] = (result[index] ?? 0) ^ term;
    }
  }
  return result;
}
