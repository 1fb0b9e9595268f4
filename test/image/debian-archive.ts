import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** A package that holds one file. */
export interface SamplePackage {
  readonly name: string;
  readonly version: string;
  readonly path: string;
  readonly content: Uint8Array | string;
}

export interface BuiltPackage extends SamplePackage {
  readonly file: string;
  readonly sha256: string;
}

const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

/** Builds a Debian package into a folder, with dpkg-deb. */
export function buildPackage(folder: string, sample: SamplePackage): BuiltPackage {
  const tree = join(folder, `${sample.name}-${sample.version}`);
  const file = `${tree}.deb`;
  mkdirSync(join(tree, 'DEBIAN'), { recursive: true });
  const control = [
    `Package: ${sample.name}`,
    `Version: ${sample.version}`,
    'Architecture: amd64',
    'Maintainer: nobody',
    'Description: a sample',
  ];
  writeFileSync(join(tree, 'DEBIAN/control'), `${control.join('\n')}\n`);
  mkdirSync(join(tree, sample.path, '..'), { recursive: true });
  writeFileSync(join(tree, sample.path), sample.content);
  execFileSync('dpkg-deb', ['--root-owner-group', '--build', tree, file], { stdio: 'ignore' });
  return { ...sample, file, sha256: sha256(readFileSync(file)) };
}

/** Lays out an archive as apt reads it, unsigned, and gives its address. */
export function layOutArchive(folder: string, packages: readonly BuiltPackage[]): string {
  const lists = join(folder, 'dists/trixie/main/binary-amd64');
  mkdirSync(lists, { recursive: true });
  mkdirSync(join(folder, 'pool'), { recursive: true });
  const index = packages
    .map((built) => {
      const bytes = readFileSync(built.file);
      writeFileSync(join(folder, 'pool', basename(built.file)), bytes);
      const { control, size } = {
        control: execFileSync('dpkg-deb', ['-f', built.file], { encoding: 'utf8' }),
        size: bytes.length,
      };
      return `${control}Filename: pool/${basename(built.file)}\nSize: ${size}\nSHA256: ${built.sha256}\n\n`;
    })
    .join('');
  writeFileSync(join(lists, 'Packages'), index);
  const release = [
    'Origin: Debian',
    'Label: Debian',
    'Suite: stable',
    'Codename: trixie',
    'Date: Sat, 21 Nov 2020 09:15:44 UTC',
    'Architectures: amd64',
    'Components: main',
    'SHA256:',
    ` ${sha256(index)} ${index.length} main/binary-amd64/Packages`,
  ];
  writeFileSync(join(folder, 'dists/trixie/Release'), `${release.join('\n')}\n`);
  return `[trusted=yes] file://${folder}`;
}
