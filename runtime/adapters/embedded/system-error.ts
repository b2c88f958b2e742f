/**
 * Whether a failed system call says this. Looks at the property and not at the class, because an error of the
 * system is an Error of another realm where the code runs in a vm context (as under jest).
 */
export function hasCode(error: unknown, code: string): boolean {
  return typeof error === 'object' && error !== null && 'code' in error && error.code === code;
}

/** SQLite's primary result code; undefined when the error is none of SQLite's. */
export function sqliteCode(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return undefined;
  // The low byte is the primary code; the rest says more about it.
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined;
}

/** What went wrong, in one line. */
export function messageOf(error: unknown): string {
  const hasMessage = typeof error === 'object' && error !== null && 'message' in error;
  return String(hasMessage ? error.message : error).replaceAll(/\s+/g, ' ');
}
