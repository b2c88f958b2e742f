import { LineCounter, parseAllDocuments } from 'yaml';
import type { Document, YAMLError } from 'yaml';
import { faultAt, NOT_SHOWN } from './fault.ts';
import type { Fault, Segments } from './fault.ts';
import { faultyAlias, locate, placeAt, positionAt, START } from './locate.ts';
import type { Position } from './locate.ts';

/** A fault and where in which file it lies. */
export interface LocatedFault extends Fault, Position {
  readonly file: string;
}

/** One YAML document of a file. */
export interface YamlDocument {
  /** The document as a JSON value. */
  readonly value: unknown;
  /** Where it begins. */
  readonly start: Position;
  /** The faults of its value with file, line and column, in the order of the file. */
  locate(faults: readonly Fault[]): readonly LocatedFault[];
}

/** The documents of a file that can be read, and what is wrong with the text of the others. */
export interface Documents {
  readonly documents: readonly YamlDocument[];
  readonly faults: readonly LocatedFault[];
}

/** Bytes of a file, at most. */
export const MAX_FILE_BYTES = 128 * 1024;
/** How many nodes aliases may stand for (yaml's own measure), against files that unfold without end. */
const MAX_ALIAS_COUNT = 100;
/** One slip makes a parser stumble many times: no more faults of syntax than this are told. */
const MAX_SYNTAX_FAULTS = 10;

/**
 * Reads the YAML 1.2 documents of a file; empty ones are left out. Never throws: whatever is wrong comes back as
 * faults with line and column, and none of them repeats a value, which may be a secret.
 */
export function readDocuments(text: string, file: string): Documents {
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) {
    return {
      documents: [],
      faults: [textFault(file, `is too large: at most ${MAX_FILE_BYTES} bytes are allowed`)],
    };
  }
  const lines = new LineCounter();
  const source = text.replace(/^\uFEFF/, '');
  const read = parse(source, lines).map((document) => readDocument({ document, file, lines }));
  return {
    documents: read.flatMap(({ documents }) => documents),
    faults: read.flatMap(({ faults }) => faults).slice(0, MAX_SYNTAX_FAULTS),
  };
}

/** The one document of a file that must hold one, `what`; or everything that is wrong with the text. */
export function readOneDocument(
  text: string,
  file: string,
  what: string,
): YamlDocument | readonly LocatedFault[] {
  const { documents, faults } = readDocuments(text, file);
  const [first, second] = documents;
  if (faults.length > 0) return faults;
  if (first === undefined) return [textFault(file, `is empty; it must hold one ${what}`)];
  if (second === undefined) return first;
  return [textFault(file, `a second document begins here; the file must hold one ${what}`, second.start)];
}

/** A fault of the text; it has a position, and no path unless one is given. */
export function textFault(
  file: string,
  message: string,
  position = START,
  segments: Segments = [],
): LocatedFault {
  const { line, column } = position;
  return { ...faultAt('invalid', segments, undefined, message), value: NOT_SHOWN, file, line, column };
}

/** A fault in one line: `examples/bank.yaml:12:15: spec.worker.replicas: must be ..., but is ...`. */
export function formatFault({ file, line, column, path, message }: LocatedFault): string {
  return `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`;
}

interface Origin {
  readonly document: Document.Parsed;
  readonly file: string;
  readonly lines: LineCounter;
}

function parse(source: string, lineCounter: LineCounter): readonly Document.Parsed[] {
  const documents = parseAllDocuments(source, {
    lineCounter,
    merge: true,
    prettyErrors: false,
    // Tags of other schemas would make values that JSON does not have.
    resolveKnownTags: false,
    stringKeys: true,
  });
  return 'empty' in documents ? [] : documents;
}

function readDocument(origin: Origin): Documents {
  const { document, file, lines } = origin;
  const errors = [...document.errors, ...document.warnings];
  if (errors.length > 0) return { documents: [], faults: syntaxFaults(errors, origin) };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIAS_COUNT });
    // What holds itself is no JSON: this throws.
    JSON.stringify(value);
  } catch (error) {
    // An alias without an anchor or of itself, aliases that unfold without end, or nesting too deep for the stack.
    const unreadable = error instanceof Error ? error.message : String(error);
    const { offset, reason } = faultyAlias(document) ?? { offset: document.range[0], reason: unreadable };
    return {
      documents: [],
      faults: [textFault(file, `cannot be read: ${reason}`, positionAt(offset, lines))],
    };
  }
  if (value === null) return { documents: [], faults: [] };
  const located = (faults: readonly Fault[]): readonly LocatedFault[] =>
    faults
      .map((fault) => ({ ...fault, file, ...locate(fault, document, lines) }))
      .sort((a, b) => a.line - b.line || a.column - b.column);
  return {
    documents: [{ value, start: positionAt(document.range[0], lines), locate: located }],
    faults: [],
  };
}

/** The first fault of each line. */
function syntaxFaults(errors: readonly YAMLError[], origin: Origin): LocatedFault[] {
  const byLine = new Map<number, LocatedFault>();
  for (const error of errors.toSorted((a, b) => a.pos[0] - b.pos[0])) {
    const fault = syntaxFault(error, origin);
    if (!byLine.has(fault.line)) byLine.set(fault.line, fault);
  }
  return [...byLine.values()];
}

function syntaxFault({ code, message, pos }: YAMLError, { document, file, lines }: Origin): LocatedFault {
  const position = positionAt(pos[0], lines);
  switch (code) {
    case 'DUPLICATE_KEY':
      return textFault(file, 'occurs twice in one map', position, placeAt(pos[0], document));
    case 'RESOURCE_EXHAUSTION':
      return textFault(file, 'is nested too deeply', position);
    case 'TAG_RESOLVE_FAILED':
      return textFault(file, 'is not valid YAML: tags are not known here; put the text in quotes', position);
    case 'UNEXPECTED_TOKEN':
      // Behind the colon the message repeats the text.
      return textFault(file, `is not valid YAML: ${message.replace(/:.*$/s, '')}`, position);
    default:
      return textFault(file, `is not valid YAML: ${message}`, position);
  }
}
