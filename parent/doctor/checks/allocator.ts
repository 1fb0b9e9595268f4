/** Memory and CPUs that /etc/nitro_enclaves/allocator.yaml sets aside. */
export interface Allocation {
  readonly memoryMiB: number;
  readonly cpus: number;
}

export class AllocatorSyntaxError extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

const KEYS = new Set(['memory_mib', 'cpu_count', 'cpu_pool']);

/** Blanks that bash's `read` strips, and no others: not a carriage return, a byte order mark or a no-break space. */
const BASH_BLANKS = /^[ \t]+|[ \t]+$/g;
/** Comment line: the blanks are those that `\s` of grep and sed matches in ASCII. */
const COMMENT = /^[ \t\r\v\f]*#/;
const NUMBER = /^[0-9]+$/;

/**
 * Reads the file as AWS's nitro-enclaves-allocator does, which is less than YAML: nothing counts before the line `---`,
 * and after it every line is a comment or one of three keys. bash reads the file, so that a line break or blank
 * elsewhere can be a part of a word there.
 * @throws AllocatorSyntaxError
 */
export function parseAllocator(text: string): Allocation {
  const values = new Map<string, string>();
  let begun = false;
  // bash's read(1) ignores a last line without a line break, and joins lines at a backslash.
  const lines = text.replaceAll('\\\n', '').split('\n').slice(0, -1);
  for (const [index, raw] of lines.entries()) {
    const line = raw.replaceAll(/\\(.)/g, '$1').replaceAll(BASH_BLANKS, '');
    if (COMMENT.test(line)) continue;
    if (line === '---') {
      begun = true;
      continue;
    }
    if (!begun) continue;
    const [key = ''] = /^[-_a-z0-9]+/i.exec(line) ?? [];
    if (!KEYS.has(key))
      throw new AllocatorSyntaxError(index + 1, 'expected a comment, memory_mib, cpu_count or cpu_pool');
    const plain = line
      .replace(/^.+:/, '')
      .replace(/[ \t\r\v\f]+"?/, '')
      .replace(/"$/, '');
    if (plain === '') throw new AllocatorSyntaxError(index + 1, `${key} has no value`);
    values.set(key, plain);
  }
  if (!begun) throw new AllocatorSyntaxError(1, describeNoStart(text));
  const end = lines.length;
  const [memory, count, pool] = [values.get('memory_mib'), values.get('cpu_count'), values.get('cpu_pool')];
  if (memory === undefined || !NUMBER.test(memory)) {
    throw new AllocatorSyntaxError(end, 'expected memory_mib with a number');
  }
  if ((count === undefined) === (pool === undefined)) {
    throw new AllocatorSyntaxError(end, 'expected exactly one of cpu_count and cpu_pool');
  }
  if (count !== undefined && !NUMBER.test(count)) {
    throw new AllocatorSyntaxError(end, 'expected a number for cpu_count');
  }
  return { memoryMiB: Number(memory), cpus: pool === undefined ? Number(count) : parseCpuList(pool).length };
}

/** Describes why the line `---` was not found, where one is there with something invisible beside it. */
function describeNoStart(text: string): string {
  const line = text.split('\n').find((one) => one.trim() === '---');
  const missing = 'the line "---" is missing, before which nothing counts';
  if (line === undefined) return missing;
  const seen = line.endsWith('\r')
    ? 'lines end as in Windows, with a carriage return'
    : line.startsWith('\uFEFF')
      ? 'a byte order mark stands before it'
      : 'something invisible stands beside it';
  return `${missing}: ${seen}`;
}

/** Parses a CPU list as the kernel writes it, `1,3,6-9`; empty for no CPUs. */
export function parseCpuList(text: string): readonly number[] {
  return text
    .trim()
    .split(',')
    .flatMap((part) => {
      const match = /^([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(part.trim());
      if (match === null) return [];
      const first = Number(match[1]);
      const last = Math.min(Number(match[2] ?? match[1]), first + 4_096);
      return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
    });
}
