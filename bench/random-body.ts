import type { RandomBody, RandomField } from './load.ts';

/** Returns a Lua expression that makes a new body at each evaluation, for wrk's scripts. */
export function luaBody(body: RandomBody): string {
  const members = Object.entries(body).map(([name, field]) => `"${name}":${luaPattern(field)}`);
  const values = Object.values(body).map((field) => {
    const [from, to] = rangeOf(field);
    return `math.random(${from}, ${to})`;
  });
  return `string.format('{${members.join(',')}}', ${values.join(', ')})`;
}

/** Makes a body with the given source of random numbers from 0 (included) to 1 (excluded). */
export function jsonBody(body: RandomBody, random: () => number): string {
  const members = Object.entries(body).map(([name, field]) => {
    const [from, to] = rangeOf(field);
    const drawn = from + Math.floor(random() * (to - from + 1));
    return [name, field.kind === 'name' ? `${field.prefix}${drawn}` : drawn] as const;
  });
  return JSON.stringify(Object.fromEntries(members));
}

/**
 * Returns a seeded source of random numbers from 0 (included) to 1 (excluded): mulberry32 by Tommy Ettinger, in
 * the public domain.
 */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function luaPattern(field: RandomField): string {
  return field.kind === 'name' ? `"${field.prefix}%d"` : '%d';
}

function rangeOf(field: RandomField): readonly [from: number, to: number] {
  return field.kind === 'name' ? [0, field.count - 1] : [field.min, field.max];
}
