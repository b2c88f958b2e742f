import { describe, expect, test } from '@jest/globals';
import { Failure } from './failure.ts';
import { markOf } from './server-info.ts';

const where = {
  server: 'redis.example:6379',
  settings: { address: 'spec.redis.url', tls: 'spec.redis.url' },
};
const GOOD = {
  redis_version: '7.0.15',
  redis_mode: 'standalone',
  run_id: 'a1',
  loading: '0',
  role: 'master',
  master_replid: 'b2',
  maxmemory: '0',
  maxmemory_policy: 'noeviction',
};

function info(fields: Readonly<Record<string, string>> = GOOD): string {
  const lines = Object.entries(fields).map(([name, value]) => `${name}:${value}`);
  return ['# Server', ...lines, '', '# Keyspace', 'db0:keys=1,expires=0', ''].join('\r\n');
}

function failureFor(changes: Readonly<Record<string, string>>): Failure | undefined {
  try {
    markOf(info({ ...GOOD, ...changes }), where);
  } catch (error) {
    if (error instanceof Failure) return error;
  }
  return undefined;
}

describe('a mark', () => {
  test('names the process and its time as a master', () => {
    const mark = markOf(info(), where);
    expect(mark.startsWith('\0')).toBe(true);
    expect(markOf(info(), where)).toBe(mark);
    expect(markOf(info({ ...GOOD, run_id: 'another' }), where)).not.toBe(mark);
    expect(markOf(info({ ...GOOD, master_replid: 'another' }), where)).not.toBe(mark);
  });
});

describe('a server', () => {
  test.each([
    ['7.0.15', true],
    ['6.2.0', true],
    ['8.2.1', true],
    ['10.0', true],
    ['6.0.16', false],
    ['5.0.7', false],
    ['?', false],
  ])('of version %s is taken: %s', (redis_version, isTaken) => {
    expect(failureFor({ redis_version })?.kind).toBe(isTaken ? undefined : 'refused');
  });

  test.each([
    ['noeviction', '1000', true],
    ['volatile-lru', '1000', true],
    ['volatile-ttl', '1000', true],
    ['allkeys-lru', '0', true],
    ['allkeys-lru', '1000', false],
    ['allkeys-random', '1000', false],
  ])('that evicts by %s with maxmemory %s is taken: %s', (maxmemory_policy, maxmemory, isTaken) => {
    const failure = failureFor({ maxmemory_policy, maxmemory });
    expect(failure?.kind).toBe(isTaken ? undefined : 'refused');
    if (!isTaken) expect(failure?.message).toContain(`maxmemory-policy ${maxmemory_policy}`);
  });

  test.each([
    [{ role: 'slave' }, 'unavailable', 'replica'],
    [{ loading: '1' }, 'unavailable', 'reading its data'],
    [{ redis_mode: 'cluster' }, 'refused', 'Cluster'],
    [{ redis_mode: 'sentinel' }, 'refused', 'spec.redis.sentinels'],
  ])('with %j is not', (changes, kind, text) => {
    const failure = failureFor(changes);
    expect(failure?.kind).toBe(kind);
    expect(failure?.message).toContain(where.server);
    expect(failure?.message).toContain(text);
  });

  test('that does not say what decides is refused: an unknown is never a yes', () => {
    const rest = Object.fromEntries(Object.entries(GOOD).filter(([name]) => name !== 'maxmemory_policy'));
    expect(() => markOf(info(rest), where)).toThrow(/INFO lacks maxmemory_policy/);
    expect(() => markOf('', where)).toThrow(/run_id, loading/);
  });
});
