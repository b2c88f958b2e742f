import { describe, expect, test } from '@jest/globals';
import { urlInReadyLine } from './platform-process.ts';
import { parseCpuSeconds, parseFamily, parsePeakRssBytes, parseRssBytes, treeCpuSeconds } from './proc.ts';

describe('/proc', () => {
  test('the CPU time is user and system time, whatever the name of the process', () => {
    const stat = '4711 (a) strange) name) S 1 4711 4711 0 -1 4194560 100 0 0 0 250 50 7 8 20 0 11 0 99 1 2';
    expect(parseCpuSeconds(stat)).toBe(3);
  });

  test('a family has the time of children that were waited for too', () => {
    const stat =
      '4711 (a) strange) name) S 17 4711 4711 0 -1 4194560 100 0 0 0 250 50 70 30 20 0 11 0 99 1 2';
    expect(parseFamily(stat)).toEqual({ parent: 17, cpuSeconds: 4 });
    expect(parseFamily('')).toBeUndefined();
  });

  test('a process that is no more has no known time', async () => {
    expect(await treeCpuSeconds(2 ** 30)).toBeUndefined();
  });

  test('what cannot be read is unknown', () => {
    expect(parseCpuSeconds('')).toBeUndefined();
    expect(parseRssBytes('Name:\tnode\n')).toBeUndefined();
  });

  test('the memory is VmRSS in bytes', () => {
    const status = 'VmPeak:\t  900 kB\nVmHWM:\t  3072 kB\nVmRSS:\t  2048 kB\nThreads:\t11\n';
    expect(parseRssBytes(status)).toBe(2 * 1024 * 1024);
    expect(parsePeakRssBytes(status)).toBe(3 * 1024 * 1024);
  });
});

describe('the ready line', () => {
  test.each([
    { line: 'Ready in 0.8 s: http://127.0.0.1:8080', url: 'http://127.0.0.1:8080' },
    { line: '✔ dispatcher http://127.0.0.1:8080', url: undefined },
    { line: 'Ready', url: undefined },
  ])('$line', ({ line, url }) => {
    expect(urlInReadyLine(line)).toBe(url);
  });
});
