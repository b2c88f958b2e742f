/**
 * Calls `late` after so many ms unless it is cancelled by the function returned. An answer that has arrived while this
 * process was busy is read first: timers come before sockets in a turn of the event loop.
 */
export function deadline(ms: number, late: () => void): () => void {
  let immediate: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    immediate = setImmediate(late);
  }, ms);
  return () => {
    clearTimeout(timer);
    clearImmediate(immediate);
  };
}
