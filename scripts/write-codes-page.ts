import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { formatCodesPage } from '../cli/explain/page.ts';

/** Writes docs/codes.md from the tables of `holdfast explain`. */

const path = join(import.meta.dirname, '../docs/codes.md');
writeFileSync(path, await format(formatCodesPage(), { ...(await resolveConfig(path)), filepath: path }));
