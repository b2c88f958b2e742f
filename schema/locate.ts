import { isAlias, isMap, isPair, isScalar, isSeq, visit } from 'yaml';
import type { Document, LineCounter, Node, Pair } from 'yaml';
import type { Fault, Segments } from './fault.ts';

/** A place in a text, both counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Where a text begins. */
export const START: Position = { line: 1, column: 1 };

/**
 * Where in the document a fault lies: at the value when it stands in the line of its key (or in a list), else at
 * the key; at the key of an unknown field; and for what is missing at the key of the map that misses it, unless
 * it is missed because of another field.
 */
export function locate(fault: Fault, document: Document, lines: LineCounter): Position {
  return positionAt(offsetOf(fault, document), lines);
}

/** Line and column of an offset into the text. */
export function positionAt(offset: number, lines: LineCounter): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

/** The first alias that stands for nothing, or for what it lies in; undefined if there is none. */
export function faultyAlias(
  document: Document,
): { readonly offset: number; readonly reason: string } | undefined {
  let found: { readonly offset: number; readonly reason: string } | undefined;
  visit(document, {
    Alias(_key, alias, path) {
      const target = alias.resolve(document);
      if (target !== undefined && !path.includes(target)) return undefined;
      const reason = target === undefined ? 'an alias without an anchor before it' : 'an alias of itself';
      found = { offset: alias.range?.[0] ?? 0, reason };
      return visit.BREAK;
    },
  });
  return found;
}

/** The field whose key begins at an offset; empty if none does. */
export function placeAt(offset: number, document: Document): Segments {
  let place: Segments = [];
  visit(document, {
    Pair(_key, pair, path) {
      if (!isScalar(pair.key) || pair.key.range?.[0] !== offset) return undefined;
      place = segmentsOf([...path, pair]);
      return visit.BREAK;
    },
  });
  return place;
}

function segmentsOf(path: readonly unknown[]): Segments {
  return path.flatMap((step, index): (string | number)[] => {
    if (isPair(step)) return isScalar(step.key) ? [String(step.key.value)] : [];
    return isSeq(step) ? [step.items.indexOf(path[index + 1])] : [];
  });
}

function offsetOf(fault: Fault, document: Document): number {
  const own = follow(fault.segments, document);
  const others = own.complete ? [] : (fault.others ?? []).map((place) => follow(place, document));
  const { key, value, complete } = others.find((other) => other.complete) ?? own;
  const atKey = !complete || fault.kind === 'unknown' || !isInline(value);
  const nodes = atKey ? [key, value] : [value, key];
  return nodes.find((node) => node?.range)?.range?.[0] ?? 0;
}

/** Whether a node begins where a reader looks for a value: not on the lines below its key, nor nowhere. */
function isInline(node: Node | undefined): node is Node {
  if (node === undefined) return false;
  if (isScalar(node)) return node.source !== '' || node.type !== 'PLAIN';
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
