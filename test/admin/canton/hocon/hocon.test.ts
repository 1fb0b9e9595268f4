import { describe, expect, it } from 'vitest';
import { readOurs } from './read.ts';

const valueOf = (text: string, environment = {}) => readOurs([text], environment);

describe('HOCON', () => {
  it.each<[string, string, unknown]>([
    ['merges objects of one field', 'a { b = 1 }\na = { c = 2 }', { a: { b: 1, c: 2 } }],
    ['keeps the later of two values', 'a = 1, a = 2', { a: 2 }],
    ['begins anew after null', 'a = {b=1}\na = null\na = {c=2}', { a: { c: 2 } }],
    ['reads dots in paths and not in quotes', 'a.b."c.d" = 1', { a: { b: { 'c.d': 1 } } }],
    ['keeps spaces between words', 'a = 10 seconds # of time', { a: '10 seconds' }],
    ['takes a variable', 'a = ${X}', { a: 'val' }],
    ['takes no variable within quotes', 'a = "${X}"', { a: '${X}' }],
    ['keeps the earlier value where a variable is absent', 'a = 1\na = ${?NOPE}', { a: 1 }],
    ['takes a field before a variable', 'X = 1\na = ${X}', { X: 1, a: 1 }],
    [
      'merges what a substitution leads to',
      'a = ${b} {c = 1}\nb {c = 2, d = 3}',
      { a: { c: 1, d: 3 }, b: { c: 2, d: 3 } },
    ],
    ['needs no value that another one replaces', 'a = ${NOPE}\na = 1', { a: 1 }],
    ['reads numbers as Java does', 'a = 007, b = 5., c = .5, d = 1-2', { a: 7, b: 5, c: '.5', d: '1-2' }],
  ])('%s', (_, text, value) => {
    expect(valueOf(text, { X: 'val' })).toEqual({ value });
  });

  it.each([
    ['a URL without quotes', 'a = https://gateway:8443'],
    ['an ARN without quotes', 'a = arn:aws:kms:x'],
    ['the form of Kubernetes for variables', 'a = $(VAR)'],
    ['a brace too many', 'a = 1}'],
    ['a brace too few', '{a = 1'],
    ['a field without a value', 'a ='],
    ['two commas', 'a = 1,,b = 2'],
    ['an empty name', 'a..b = 1'],
    ['a line end in a string', 'a = "x\ny"'],
  ])('refuses %s', (_, text) => {
    expect(valueOf(text)).toEqual({ refused: 'HOCON_SYNTAX' });
  });

  it.each([
    ['what appends', 'a = [1]\na += 2'],
    ['an include', 'include "other.conf"'],
    ['a value that refers to itself', 'a = 1\na = ${a}2'],
    ['a string beside an object, even one that is replaced', 'a = x {b = 1}\na = 1'],
    ['a space within a key', 'a b = 1'],
    ['a number beyond those that are exact', 'a = 9007199254740993'],
  ])('does not read %s', (_, text) => {
    expect(valueOf(text)).toEqual({ refused: 'HOCON_UNSUPPORTED' });
  });

  it('refuses a variable that is not there', () => {
    expect(valueOf('a = ${NOPE}')).toEqual({ refused: 'HOCON_UNRESOLVED' });
  });

  it('bounds what it reads, how deep, and what substitutions grow to', () => {
    expect(valueOf(`a = ${'x'.repeat(1024 * 1024)}`)).toEqual({ refused: 'HOCON_TOO_LARGE' });
    expect(valueOf(`${'a{'.repeat(70)}${'}'.repeat(70)}`)).toEqual({ refused: 'HOCON_TOO_LARGE' });
    expect(valueOf(`a = ${'['.repeat(100_000)}`)).toEqual({ refused: 'HOCON_TOO_LARGE' });
    const doubling = Array.from(
      { length: 40 },
      (_, index) => `v${index + 1} = [\${v${index}}, \${v${index}}]`,
    );
    expect(valueOf(['v0 = 1', ...doubling].join('\n'))).toEqual({ refused: 'HOCON_TOO_LARGE' });
  });

  it('reads texts as one file, each of them with a line end', () => {
    expect(readOurs(['a { b = 1', '}'])).toEqual({ value: { a: { b: 1 } } });
    expect(readOurs(['a = 1', 'b = 2'])).toEqual({ value: { a: 1, b: 2 } });
  });
});
