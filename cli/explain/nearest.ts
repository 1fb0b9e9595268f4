const MAX_SUGGESTIONS = 5;
const MAX_WORD_LENGTH = 64;

/**
 * Finds the known words most like a word, the nearest first: those that hold it or share its parts, and those a few
 * letters away.
 */
export function nearest(word: string, known: ReadonlySet<string>): readonly string[] {
  const wanted = word.slice(0, MAX_WORD_LENGTH);
  return [...known]
    .map((candidate) => ({ candidate, distance: distanceTo(wanted, candidate) }))
    .filter(({ distance }) => distance <= 3)
    .sort((a, b) => a.distance - b.distance || (a.candidate < b.candidate ? -1 : 1))
    .slice(0, MAX_SUGGESTIONS)
    .map(({ candidate }) => candidate);
}

function distanceTo(word: string, candidate: string): number {
  const letters = countEdits(word, candidate);
  if (letters <= 3) return letters;
  if (word.length >= 4 && (candidate.includes(word) || word.includes(candidate))) return 2.5;
  const parts = new Set(word.split('_'));
  return parts.size > 1 && candidate.split('_').every((part) => parts.has(part)) ? 3 : letters;
}

/** Counts the insertions, deletions and substitutions that make one word of the other (Levenshtein). */
function countEdits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [i, letter] of from.split('').entries()) {
    const next = [i + 1];
    for (const [j, other] of to.split('').entries()) {
      const substituted = (row[j] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min(substituted, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
