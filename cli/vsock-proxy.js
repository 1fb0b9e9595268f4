#!/usr/bin/env node
// Translates the arguments of AWS's vsock-proxy, so that its users change one word. This file runs on whatever Node the
// machine has.
const FLAGS = { 4: '--ipv4', 6: '--ipv6', h: '--help', V: '--version' };

// Expands short options: `-4w8` is `--ipv4 --num_workers=8`; the value of -w may follow directly, after `=`, or as the
// next argument.
function expandShort(argument) {
  if (!/^-[46hVw]/.test(argument)) return [argument];
  const [, flags, value] = /^-([46hV]*)(?:w=?(.*))?$/s.exec(argument) ?? [];
  if (flags === undefined) return [argument];
  const options = flags.split('').map((flag) => FLAGS[flag]);
  if (value === undefined) return options;
  return [...options, value === '' ? '--num_workers' : `--num_workers=${value}`];
}

const given = process.argv.slice(2);
const end = given.includes('--') ? given.indexOf('--') : given.length;
const options = given.slice(0, end).flatMap(expandShort);
const words = options.includes('--version')
  ? ['version']
  : ['parent', 'vsock-proxy', ...options, ...given.slice(end)];
process.argv.splice(2, Infinity, ...words);
await import('./holdfast.js');
