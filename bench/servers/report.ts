/** What a benchmarked server tells its parent. */
export interface ServerReport {
  readonly ready: string;
}

/** Says that the server is ready, and from then on answers each message with the CPU time used so far, in µs. */
export function report(ready: string): void {
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuMicros: user + system });
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.({ ready } satisfies ServerReport);
}
