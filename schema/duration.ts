const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;
/** The longest that a Node timer waits. */
const MAX_MS = 2 ** 31 - 1;

/**
 * A duration of the resource, such as `500ms`, `2s`, `5m` or `1h`, in milliseconds; exact. Throws a RangeError
 * for anything else, and for more than a timer can wait (24.8 days): validated resources contain neither.
 */
export function parseDuration(text: string): number {
  const [, amount, unit] = /^([0-9]{1,15})(ms|s|m|h)$/.exec(text) ?? [];
  const ms = Number(amount) * (isUnit(unit) ? UNIT_MS[unit] : NaN);
  if (!(ms <= MAX_MS)) throw new RangeError(`"${text}" is not a duration such as 500ms, 2s, 5m or 1h`);
  return ms;
}

function isUnit(unit: string | undefined): unit is keyof typeof UNIT_MS {
  return unit !== undefined && Object.hasOwn(UNIT_MS, unit);
}
