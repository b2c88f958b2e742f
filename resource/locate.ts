import { isAlias, isMap, isScalar, isSeq, visit } from 'yaml';
import type { Document, LineCounter, Node, Pair } from 'yaml';
import type { Fault, Segments } from './fault.ts';

/** A place in a text, both counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * Where in the document a fault lies: at the value when it stands in the line of its key (or in a list), else at
 * the key; at the key of an unknown field; and for what is missing at the key of the map that misses it.
 */
export function locate(fault: Fault, document: Document, lines: LineCounter): Position {
  return positionAt(offsetOf(fault, document), lines);
}

/** Line and column of an offset into the text. */
export function positionAt(offset: number, lines: LineCounter): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

/** The offset of the first alias whose anchor is not there; undefined if there is none. */
export function unresolvedAlias(document: Document): number | undefined {
  let offset: number | undefined;
  visit(document, {
    Alias(_key, alias) {
      if (alias.resolve(document) !== undefined) return undefined;
      offset = alias.range?.[0];
      return visit.BREAK;
    },
  });
  return offset;
}

function offsetOf(fault: Fault, document: Document): number {
  const { key, value, complete } = follow(fault.segments, document);
  const atKey = !complete || fault.kind === 'unknown' || !isInline(value);
  const nodes = atKey ? [key, value] : [value, key];
  return nodes.find((node) => node?.range)?.range?.[0] ?? 0;
}

/** Whether a node begins where a reader looks for a value: not on the lines below its key, nor nowhere. */
function isInline(node: Node | undefined): node is Node {
  if (node === undefined) return false;
  if (isScalar(node)) return node.source !== '';
  return isAlias(node) || ((isMap(node) || isSeq(node)) && node.flow === true);
}

interface Found {
  /** Key of the innermost field found on the way; none for items of lists and for the whole. */
  readonly key: Node | undefined;
  readonly value: Node | undefined;
  /** Whether the way was followed to its end. */
  readonly complete: boolean;
}

function follow(segments: Segments, document: Document): Found {
  let found: Found = { key: undefined, value: document.contents ?? undefined, complete: true };
  for (const segment of segments) {
    const next = step(segment, found.value, document);
    if (next === undefined) return { ...found, complete: false };
    found = next;
  }
  return found;
}

function step(segment: string | number, node: Node | undefined, document: Document): Found | undefined {
  const target = isAlias(node) ? node.resolve(document) : node;
  if (isSeq<Node>(target) && typeof segment === 'number') {
    const item = target.items[segment];
    return item === undefined ? undefined : { key: undefined, value: item, complete: true };
  }
  if (!isMap<Node, Node | null>(target)) return undefined;
  const pair = target.items.find((candidate) => keyText(candidate) === segment);
  return pair === undefined ? undefined : { key: pair.key, value: pair.value ?? undefined, complete: true };
}

function keyText({ key }: Pair<Node, Node | null>): string | undefined {
  return isScalar(key) ? String(key.value) : undefined;
}
