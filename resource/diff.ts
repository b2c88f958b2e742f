import { isMap, pathOf } from '../schema/fault.ts';
import type { Segments } from '../schema/fault.ts';
import type { MiniPlatform } from './generated/mini-platform.ts';

/**
 * The paths of spec in which two platforms differ, sorted, for example `spec.worker.replicas`. Of maps the
 * fields are compared; a list differs as a whole. What a resource was defaulted to counts as its value.
 */
export function changedPaths(before: MiniPlatform, after: MiniPlatform): string[] {
  return differences(before.spec, after.spec, ['spec']).map(pathOf).sort();
}

function differences(before: unknown, after: unknown, at: Segments): Segments[] {
  if (!isMap(before) && !isMap(after)) return JSON.stringify(before) === JSON.stringify(after) ? [] : [at];
  const left = isMap(before) ? before : {};
  const right = isMap(after) ? after : {};
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  // A map that comes or goes without a field in it is a difference of its own.
  if (names.size === 0) return isMap(before) && isMap(after) ? [] : [at];
  return [...names].flatMap((name) => differences(left[name], right[name], [...at, name]));
}
