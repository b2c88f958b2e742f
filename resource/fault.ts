/** A place within a resource: field names and list positions, from the outside in. */
export type Segments = readonly (string | number)[];

/** One thing that is wrong with a resource. */
export interface Fault {
  /** `unknown`: a field that does not exist; `missing`: a required one is not there; `invalid`: a wrong value. */
  readonly kind: 'unknown' | 'missing' | 'invalid';
  /** Where, for example `spec.worker.replicas` or `spec.domains[1]`; empty for the resource as a whole. */
  readonly path: string;
  /** The same as `path`, for programs. */
  readonly segments: Segments;
  /** What stands there, shortened; `nothing` when it is missing. */
  readonly value: string;
  /** What is wrong and what is allowed; a predicate that follows on the path. */
  readonly message: string;
}

const SHOWN_CHARACTERS = 60;
const PLAIN_KEY = /^[\w$-]{1,64}$/;

/** A fault with a message of its own. */
export function faultAt(kind: Fault['kind'], segments: Segments, value: unknown, message: string): Fault {
  return { kind, path: pathOf(segments), segments, value: show(value), message };
}

/** A fault of a value, whose message ends with it: `must be 1, but is 2`. */
export function invalidFault(segments: Segments, value: unknown, expected: string): Fault {
  return faultAt('invalid', segments, value, `${expected}, but is ${show(value)}`);
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
  // Faults are logged: credentials that someone put into a URL are not.
  const text = whole.replace(/\/\/[^/\s]*@/g, '//***@');
  const short = shorten(text);
  return short === text ? JSON.stringify(text) : `${JSON.stringify(short)} (${text.length} characters)`;
}

function shorten(text: string): string {
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}...` : text;
}
