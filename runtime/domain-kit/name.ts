/** The most characters (code points) that a name may have. */
export const MAX_NAME = 128;

/** What a name looks like, for JSON schemas: no control or invisible characters, single spaces in between. */
export const NAME_PATTERN = '^[^\\p{C}\\p{Z}]+( [^\\p{C}\\p{Z}]+)*$';

const SHAPE = new RegExp(NAME_PATTERN, 'u');
const MARKS = /\p{M}/gu;
const LONGER = new RegExp(`^.{${MAX_NAME + 1}}`, 'su');

/** Two spellings of the same name (composed or not) are one name: fraud checks and sets compare this form. */
export function canonicalName(name: string): string {
  return isAscii(name) ? name : name.normalize('NFC');
}

/** ASCII is its own normal form, and asking ICU about it costs several times as much as looking. */
function isAscii(text: string): boolean {
  for (let place = 0; place < text.length; place += 1) {
    if (text.charCodeAt(place) > 0x7f) return false;
  }
  return true;
}

/**
 * The canonical form of a name that a list holds; undefined when no name that clients may bear has this form. So
 * who compares by it misses nobody, however the list or the client spells the name.
 */
export function listedName(text: string): string | undefined {
  const name = canonicalName(text);
  return SHAPE.test(name) && !isTooLong(name) ? name : undefined;
}

/** Why a text is no name, for people. */
export function whyNoName(text: string): 'too long' | 'invisible character or white space' {
  return isTooLong(canonicalName(text)) ? 'too long' : 'invisible character or white space';
}

/** Marks do not count: NFC writes some single characters as a letter and up to two marks. */
function isTooLong(name: string): boolean {
  return name.length > MAX_NAME && LONGER.test(name.replaceAll(MARKS, ''));
}
