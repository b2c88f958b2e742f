import { describe, expect, test } from '@jest/globals';
import { Lifecycle, type LifecycleState } from './lifecycle.ts';

const STATES: readonly LifecycleState[] = ['STARTING', 'JOINING', 'READY', 'DRAINING', 'STOPPED'];

/** How each state is reached from the start. */
const WAYS: Readonly<Record<LifecycleState, readonly LifecycleState[]>> = {
  STARTING: [],
  JOINING: ['JOINING'],
  READY: ['JOINING', 'READY'],
  DRAINING: ['JOINING', 'READY', 'DRAINING'],
  STOPPED: ['STOPPED'],
};

const STEPS = new Set([
  'STARTING>JOINING',
  'STARTING>READY',
  'STARTING>DRAINING',
  'STARTING>STOPPED',
  'JOINING>READY',
  'JOINING>DRAINING',
  'JOINING>STOPPED',
  'READY>JOINING',
  'READY>DRAINING',
  'READY>STOPPED',
  'DRAINING>STOPPED',
]);

function lifecycleIn(state: LifecycleState): Lifecycle {
  const lifecycle = new Lifecycle();
  for (const step of WAYS[state]) lifecycle.enter(step);
  return lifecycle;
}

const others = STATES.flatMap((from) => STATES.filter((to) => to !== from).map((to) => [from, to] as const));

describe('a lifecycle', () => {
  test.each(others)('from %s to %s', (from, to) => {
    const lifecycle = lifecycleIn(from);
    const allowed = STEPS.has(`${from}>${to}`);
    expect(lifecycle.allows(to)).toBe(allowed);
    if (allowed) lifecycle.enter(to);
    else expect(() => lifecycle.enter(to)).toThrow(`a role cannot go from ${from} to ${to}`);
    expect(lifecycle.state).toBe(allowed ? to : from);
  });

  test('tells its watchers where it is, and every change', () => {
    const lifecycle = new Lifecycle();
    const seen: unknown[] = [];
    lifecycle.enter('JOINING');
    lifecycle.watch((state, before) => seen.push([state, before]));
    lifecycle.enter('READY');
    lifecycle.enter('READY');
    lifecycle.enter('STOPPED');
    expect(seen).toEqual([
      ['JOINING', undefined],
      ['READY', 'JOINING'],
      ['STOPPED', 'READY'],
    ]);
  });
});
