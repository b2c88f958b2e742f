import type { MongoClient } from 'mongodb';

/**
 * Calls back once when the driver's check of a server has not ended after so many ms; returns what ends the watch.
 *
 * A driver of version 7.9 that writes to a connection whose socket has been destroyed, but not yet closed, waits for
 * ever (for `drain`). Where that is the check of a server, which is likely when one is killed under load, the driver
 * never looks at that server again.
 */
export function guardHeartbeats(client: MongoClient, stuckMs: number, onStuck: () => void): () => void {
  const checks = new Map<string, NodeJS.Timeout>();
  let isOver = false;
  const ended = (address: string): void => {
    clearTimeout(checks.get(address));
    checks.delete(address);
  };
  const stop = (): void => {
    isOver = true;
    for (const address of checks.keys()) ended(address);
  };
  const stuck = (address: string): void => {
    if (isOver || !checks.has(address)) return;
    stop();
    onStuck();
  };
  client.on('serverHeartbeatStarted', ({ connectionId: address }) => {
    if (isOver) return;
    ended(address);
    // After a pause of the whole process its answer may be there, and only has to be read.
    const timer = setTimeout(() => setImmediate(stuck, address), stuckMs);
    checks.set(address, timer.unref());
  });
  client.on('serverHeartbeatSucceeded', ({ connectionId: address }) => ended(address));
  client.on('serverHeartbeatFailed', ({ connectionId: address }) => ended(address));
  client.on('serverClosed', ({ address }) => ended(address));
  return stop;
}
