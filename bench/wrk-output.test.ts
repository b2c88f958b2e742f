import { describe, expect, test } from '@jest/globals';
import { generatorShare, type Load, successRate } from './load.ts';
import { parseWrkOutput, wrkArguments, wrkScript } from './wrk-output.ts';

// As wrk 4.1.0 and dash printed it, with a few columns cut.
const OUTPUT = `Running 2s test @ http://127.0.0.1:8080/noop
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.45ms    2.01ms  39.80ms   97.10%
  40000 requests in 2.00s, 6.87MB read
  Socket errors: connect 0, read 2, write 0, timeout 1
  Non-2xx or 3xx responses: 5
bench-result {"requests":40000,"duration":2000000,"p50":1210,"p99":18900,"socketErrors":3,"statusErrors":5}
0m0.010000s 0m0.020000s
1m0.250000s 0m0.750000s
`;

const GET: Load = { url: 'http://127.0.0.1:8080/noop', connections: 64, seconds: 2, seed: 7 };

describe('what wrk printed', () => {
  test('becomes counts, milliseconds and the CPU time of wrk, not of the shell', () => {
    expect(parseWrkOutput(OUTPUT)).toEqual({
      requests: 40_000,
      seconds: 2,
      p50Ms: 1.21,
      p99Ms: 18.9,
      errors: 3,
      non2xx: 5,
      generatorCpuSeconds: 61,
    });
  });

  test('is refused without a result', () => {
    expect(() => parseWrkOutput('unable to connect to 127.0.0.1:1\n0m0s 0m0s\n0m0s 0m0s')).toThrow(
      'wrk printed no result: unable to connect',
    );
  });

  test('is refused without the times of the shell', () => {
    const untimed = OUTPUT.split('\n').slice(0, -3).join('\n');
    expect(() => parseWrkOutput(untimed)).toThrow('no times');
  });

  test('counts successes only in the rate', () => {
    const result = parseWrkOutput(OUTPUT);
    expect(successRate(result)).toBe(39_995 / 2);
    expect(generatorShare(result)).toBe(30.5);
  });
});

describe('what wrk is given', () => {
  test('one thread, the connections, the time and the script', () => {
    expect(wrkArguments(GET, '/tmp/load.lua')).toEqual([
      '-t1',
      '-c64',
      '-d2s',
      '--timeout',
      '6s',
      '-s',
      '/tmp/load.lua',
      'http://127.0.0.1:8080/noop',
    ]);
  });

  test('a GET runs without Lua code per request', () => {
    expect(wrkScript(GET)).not.toContain('request = function');
    expect(wrkScript(GET)).toContain('done = function');
  });

  test('a POST draws its body anew, from a seed', () => {
    const script = wrkScript({ ...GET, body: { amount: { kind: 'integer', min: 1, max: 9 } } });
    expect(script).toContain('math.randomseed(7)');
    expect(script).toContain(`string.format('{"amount":%d}', math.random(1, 9))`);
  });
});
