/**
 * Compares two well-formed strings by their UTF-8 bytes, without encoding them: negative, zero or positive.
 * UTF-16 differs from that order only in that surrogates (the astral planes) stand before U+E000 to U+FFFF.
 */
export function compareUtf8(one: string, other: string): number {
  const length = Math.min(one.length, other.length);
  for (let at = 0; at < length; at++) {
    const left = one.charCodeAt(at);
    const right = other.charCodeAt(at);
    if (left !== right) return rank(left) - rank(right);
  }
  return one.length - other.length;
}

/** Moves surrogates behind the rest of the basic plane. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
