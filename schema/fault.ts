/** A place within what was given: field names and list positions, from the outside in. */
export type Segments = readonly (string | number)[];

/** One thing that is wrong with what was given: a resource, or the configuration of a role. */
export interface Fault {
  /** `unknown`: a field that does not exist; `missing`: a required one is not there; `invalid`: a wrong value. */
  readonly kind: 'unknown' | 'missing' | 'invalid';
  /** Where, for example `spec.worker.replicas` or `spec.domains[1]`; empty for the whole. */
  readonly path: string;
  /** The same as `path`, for programs. */
  readonly segments: Segments;
  /** What stands there, shortened; `nothing` when it is missing, `not shown` when it may be a secret. */
  readonly value: string;
  /** What is wrong and what is allowed; a predicate that follows on the path. */
  readonly message: string;
  /** Places that it is about too: where to look when nothing is written at its own, because a default stands there. */
  readonly others?: readonly Segments[];
}

const SHOWN_CHARACTERS = 60;
/** In place of a value that may be a secret. */
export const NOT_SHOWN = 'not shown';
const PLAIN_KEY = /^[\w$-]{1,64}$/;

/** A fault with a message of its own. */
export function faultAt(kind: Fault['kind'], segments: Segments, value: unknown, message: string): Fault {
  return { kind, path: pathOf(segments), segments, value: show(value), message };
}

/** A fault of a value, whose message ends with it: `must be 1, but is 2`. */
export function invalidFault(segments: Segments, value: unknown, expected: string): Fault {
  return faultAt('invalid', segments, value, `${expected}, but is ${show(value)}`);
}

/** A fault of a value that may be a secret, so that it is not shown. */
export function hiddenFault(segments: Segments, expected: string): Fault {
  const message = `${expected}; what is there is not shown, because it may be a secret`;
  return { ...faultAt('invalid', segments, undefined, message), value: NOT_SHOWN };
}

/** A fault of a text in place of everything: of what is another file, a secret perhaps, nothing is shown. */
export function foreignFault(expected: string): Fault {
  return { ...faultAt('invalid', [], undefined, `${expected}, but is a text`), value: NOT_SHOWN };
}

/** `['spec', 'domains', 1]` as `spec.domains[1]`; a name that is no plain word is put in brackets. */
export function pathOf(segments: Segments): string {
  let path = '';
  for (const segment of segments) {
    if (typeof segment === 'number') path += `[${segment}]`;
    else if (!PLAIN_KEY.test(segment)) path += `[${shorten(segment)}]`;
    else path += path === '' ? segment : `.${segment}`;
  }
  return path;
}

/** A value in a few words: scalars as JSON, at most 60 characters of them; of maps and lists kind and size. */
export function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return showText(value);
  if (Array.isArray(value)) return sized('list', value.length, 'item');
  if (isMap(value)) return sized('map', Object.keys(value).length, 'field');
  return typeof value === 'number' || typeof value === 'boolean' || value === null
    ? String(value)
    : 'a value of another kind';
}

/** Whether a value is a plain map: what a JSON object or a YAML map is parsed into. */
export function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function sized(kind: string, size: number, part: string): string {
  return size === 0 ? `an empty ${kind}` : `a ${kind} of ${size} ${part}${size === 1 ? '' : 's'}`;
}

function showText(whole: string): string {
  // Faults are logged: credentials that someone put into an address or a URL are not.
  const text = whole.replace(/^([a-z][-+.\w]*:\/\/)?.*@/is, '$1***@').replace(/(:\/\/[^?]*\?).*/s, '$1***');
  const short = shorten(text);
  return short === text ? JSON.stringify(text) : `${JSON.stringify(short)} (${text.length} characters)`;
}

function shorten(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}...` : text;
}
