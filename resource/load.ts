import { LineCounter, parseDocument } from 'yaml';
import type { Document, YAMLError } from 'yaml';
import { faultAt } from './fault.ts';
import type { Fault } from './fault.ts';
import type { MiniPlatform } from './generated/mini-platform.ts';
import { locate, positionAt, unresolvedAlias } from './locate.ts';
import type { Position } from './locate.ts';
import { validateMiniPlatform } from './validate.ts';
import type { Validated } from './validate.ts';

/** A fault and where in which file it lies. */
export interface LocatedFault extends Fault, Position {
  readonly file: string;
}

/** Bytes of a platform file, at most. */
export const MAX_FILE_BYTES = 128 * 1024;
/** How many nodes aliases may stand for (yaml's own measure), against files that unfold without end. */
const MAX_ALIAS_COUNT = 100;
/** One slip makes a parser stumble many times: no more faults of syntax than this are told. */
const MAX_SYNTAX_FAULTS = 10;

/**
 * Reads and validates a platform file: one YAML 1.2 document. `old` is the platform that runs, for the rules
 * about changes. Never throws: whatever is wrong comes back as faults with line and column.
 */
export function loadMiniPlatform(text: string, file: string, old?: MiniPlatform): Validated<LocatedFault> {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_FILE_BYTES) {
    return refuse(file, [textFault(`is too large: ${bytes} bytes, and ${MAX_FILE_BYTES} are allowed`)]);
  }
  const lines = new LineCounter();
  const source = text.replace(/^\uFEFF/, '');
  const document = parse(source, lines);
  const errors = [...document.errors, ...document.warnings];
  if (errors.length > 0) return refuse(file, syntaxFaults(errors, source, lines));
  if (document.contents === null) return refuse(file, [textFault('is empty; it must hold one MiniPlatform')]);
  return validateDocument(document, { file, lines, old });
}

/** A fault in one line: `examples/bank.yaml:12:15: spec.worker.replicas: must be ..., but is ...`. */
export function formatFault({ file, line, column, path, message }: LocatedFault): string {
  return `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`;
}

interface Origin {
  readonly file: string;
  readonly lines: LineCounter;
  readonly old: MiniPlatform | undefined;
}

function parse(source: string, lineCounter: LineCounter): Document.Parsed {
  return parseDocument(source, {
    lineCounter,
    merge: true,
    prettyErrors: false,
    // Tags of other schemas would make values that JSON does not have.
    resolveKnownTags: false,
    stringKeys: true,
  });
}

function validateDocument(document: Document, { file, lines, old }: Origin): Validated<LocatedFault> {
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: MAX_ALIAS_COUNT });
  } catch (error) {
    // An alias without an anchor, aliases that unfold without end, or nesting too deep for the stack.
    const offset = unresolvedAlias(document) ?? 0;
    const message = `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    return refuse(file, [textFault(message, positionAt(offset, lines))]);
  }
  const validated = validateMiniPlatform(value, old);
  if (validated.ok) return validated;
  const located = validated.faults.map((fault) => ({ ...fault, file, ...locate(fault, document, lines) }));
  return { ok: false, faults: located.sort((a, b) => a.line - b.line || a.column - b.column) };
}

type PlacedFault = Fault & Position;

function refuse(file: string, faults: readonly PlacedFault[]): Validated<LocatedFault> {
  return { ok: false, faults: faults.map((fault) => ({ ...fault, file })) };
}

/** A fault of the text; it has a position, and no path. */
function textFault(message: string, { line, column }: Position = { line: 1, column: 1 }): PlacedFault {
  return { ...faultAt('invalid', [], undefined, message), line, column };
}

/** The first fault of each line. */
function syntaxFaults(errors: readonly YAMLError[], source: string, lines: LineCounter): PlacedFault[] {
  const byLine = new Map<number, PlacedFault>();
  for (const error of errors.toSorted((a, b) => a.pos[0] - b.pos[0])) {
    const position = positionAt(error.pos[0], lines);
    if (byLine.has(position.line)) continue;
    byLine.set(position.line, textFault(syntaxMessage(error, source), position));
  }
  return [...byLine.values()].slice(0, MAX_SYNTAX_FAULTS);
}

function syntaxMessage({ code, message, pos }: YAMLError, source: string): string {
  switch (code) {
    case 'DUPLICATE_KEY':
      return `the key ${/^[^:\n]{1,64}/.exec(source.slice(pos[0]))?.[0] ?? ''} occurs twice in one map`;
    case 'MULTIPLE_DOCS':
      return 'a second document begins here; a platform file holds one';
    case 'RESOURCE_EXHAUSTION':
      return 'is nested too deeply';
    default:
      return `is not valid YAML: ${message}`;
  }
}
