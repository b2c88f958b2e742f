const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const [OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];
const LITERALS = ['true', 'false', 'null'].map((text) => Buffer.from(text));

/** Deeper values are left to who asks. */
const MAX_DEPTH = 32;
const NO = -1;

/**
 * Whether UTF-8 bytes are an object or an array in JSON as JSON.stringify writes it: without white space. Says no
 * to some that are, with escapes, exponents or great depth, so that it needs no more than one look at each byte: a
 * third of what parsing takes. What it says yes to is JSON.
 */
export function isCompactJson(bytes: Uint8Array): boolean {
  const first = bytes[0];
  if (first !== OPEN_OBJECT && first !== OPEN_ARRAY) return false;
  return skipValue(bytes, 0, 0) === bytes.length;
}

/** Each of these returns the place behind what it has passed, or NO. */
function skipValue(bytes: Uint8Array, at: number, depth: number): number {
  switch (bytes[at]) {
    case QUOTE:
      return skipString(bytes, at);
    case OPEN_OBJECT:
      return depth === MAX_DEPTH ? NO : skipMembers(bytes, at + 1, depth + 1);
    case OPEN_ARRAY:
      return depth === MAX_DEPTH ? NO : skipItems(bytes, at + 1, depth + 1);
    default:
      return skipScalar(bytes, at);
  }
}

function skipMembers(bytes: Uint8Array, begin: number, depth: number): number {
  if (bytes[begin] === CLOSE_OBJECT) return begin + 1;
  let at = begin;
  for (;;) {
    if (bytes[at] !== QUOTE) return NO;
    at = skipString(bytes, at);
    if (at === NO || bytes[at] !== COLON) return NO;
    at = skipValue(bytes, at + 1, depth);
    if (at === NO) return NO;
    if (bytes[at] === CLOSE_OBJECT) return at + 1;
    if (bytes[at] !== COMMA) return NO;
    at += 1;
  }
}

function skipItems(bytes: Uint8Array, begin: number, depth: number): number {
  if (bytes[begin] === CLOSE_ARRAY) return begin + 1;
  let at = begin;
  for (;;) {
    at = skipValue(bytes, at, depth);
    if (at === NO) return NO;
    if (bytes[at] === CLOSE_ARRAY) return at + 1;
    if (bytes[at] !== COMMA) return NO;
    at += 1;
  }
}

function skipString(bytes: Uint8Array, begin: number): number {
  const { length } = bytes;
  for (let at = begin + 1; at < length; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) return at + 1;
    if (byte < SPACE || byte === BACKSLASH) return NO;
  }
  return NO;
}

function skipScalar(bytes: Uint8Array, at: number): number {
  const byte = bytes[at] ?? 0;
  if (byte === MINUS || isDigit(byte)) return skipNumber(bytes, byte === MINUS ? at + 1 : at);
  const literal = LITERALS.find((each) => each[0] === byte);
  if (literal === undefined) return NO;
  return literal.every((each, place) => bytes[at + place] === each) ? at + literal.length : NO;
}

function skipNumber(bytes: Uint8Array, begin: number): number {
  const whole = skipDigits(bytes, begin);
  const hasLeadingZero = bytes[begin] === ZERO && whole > begin + 1;
  if (whole === begin || hasLeadingZero) return NO;
  if (bytes[whole] !== POINT) return whole;
  const end = skipDigits(bytes, whole + 1);
  return end === whole + 1 ? NO : end;
}

function skipDigits(bytes: Uint8Array, begin: number): number {
  let at = begin;
  while (isDigit(bytes[at] ?? 0)) at += 1;
  return at;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}
