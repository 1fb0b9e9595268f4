#!/usr/bin/env node
// The arguments of AWS's vsock-proxy, so that its users change one word. It runs on whatever Node the machine has.
const SHORT = { '-4': '--ipv4', '-6': '--ipv6', '-w': '--num_workers' };
const args = process.argv.slice(2).map((argument) => SHORT[argument] ?? argument);
process.argv.splice(2, Infinity, 'parent', 'vsock-proxy', ...args);
await import('./holdfast.js');
