/** What a benchmarked server tells its parent. */
export interface ServerReport {
  readonly ready: string;
}

/** Its answer to how much CPU time it has used. */
export interface CpuReport {
  readonly cpuMicros: number;
}

/** Says that the server is ready, and from then on answers each message with the CPU time used so far, in µs. */
export function report(ready: string): void {
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send?.({ cpuMicros: user + system } satisfies CpuReport);
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.({ ready } satisfies ServerReport);
}
