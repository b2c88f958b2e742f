import { beforeEach, describe, expect, test } from '@jest/globals';
import { ManualClock } from '../../test/helpers/manual-clock.ts';
import { Heartbeat } from './heartbeat.ts';

let clock: ManualClock;
let sent: number;
let deaths: number;
let heartbeat: Heartbeat;

beforeEach(() => {
  clock = new ManualClock();
  sent = 0;
  deaths = 0;
  heartbeat = new Heartbeat({
    clock,
    limits: { heartbeatMs: 1_000, deadAfterMs: 3_000 },
    send: () => void (sent += 1),
    onDead: () => void (deaths += 1),
  });
});

describe('a heartbeat', () => {
  test('is sent on schedule', () => {
    clock.advance(999);
    expect(sent).toBe(0);
    clock.advance(1);
    expect(sent).toBe(1);
    heartbeat.heard();
    clock.advance(2_000);
    expect(sent).toBe(3);
    expect(deaths).toBe(0);
  });

  test('finds the other side dead after its silence, once, and then stops', () => {
    clock.advance(2_999);
    expect(deaths).toBe(0);
    clock.advance(1);
    expect([sent, deaths]).toEqual([2, 1]);
    clock.advance(60_000);
    expect([sent, deaths]).toEqual([2, 1]);
    expect(clock.timers).toBe(0);
  });

  test('counts the silence from the last sign of life', () => {
    for (let n = 0; n < 10; n += 1) {
      clock.advance(2_500);
      heartbeat.heard();
    }
    expect(deaths).toBe(0);
    clock.advance(2_500);
    expect(deaths).toBe(0);
    clock.advance(1_500);
    expect(deaths).toBe(1);
  });

  test('does not blame the other side for a stall of this process', () => {
    clock.advance(1_000);
    heartbeat.heard();
    clock.stall(60_000);
    clock.advance(0);
    expect(deaths).toBe(0);
    // From here on the silence is the other side's again.
    clock.advance(2_000);
    expect(deaths).toBe(0);
    clock.advance(1_000);
    expect(deaths).toBe(1);
  });

  test('stops', () => {
    heartbeat.stop();
    clock.advance(60_000);
    expect([sent, deaths]).toEqual([0, 0]);
  });
});
