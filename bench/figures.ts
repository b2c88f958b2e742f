/** One thing that was measured. What is not known, or does not exist, is null. */
export interface Figure {
  readonly bench: string;
  /** Its name; `@64` says that it was taken with 64 connections. */
  readonly figure: string;
  readonly value: number | null;
  readonly unit: string;
  /** The same of what it is compared with. */
  readonly baseline: number | null;
  /** Value over baseline; where there are rounds, the median of the ratios of each pair. */
  readonly ratio: number | null;
}

const HEAD = ['bench', 'figure', 'value', 'unit', 'baseline', 'ratio'] as const;
const LEFT = new Set<string>(['bench', 'figure', 'unit']);

/** Makes a figure; undefined becomes null. */
export function figure(
  bench: string,
  name: string,
  unit: string,
  measured: { value: number | undefined; baseline?: number | undefined; ratio?: number | undefined },
): Figure {
  const { value, baseline, ratio } = measured;
  return {
    bench,
    figure: name,
    value: rounded(value),
    unit,
    baseline: rounded(baseline),
    ratio: rounded(ratio),
  };
}

/** One JSON object per line, each line ended. */
export function toJsonLines(figures: readonly Figure[]): string {
  return figures.map((one) => `${JSON.stringify(one)}\n`).join('');
}

/** A table with aligned columns, each line ended. */
export function toTable(figures: readonly Figure[]): string {
  const rows = figures.map(({ bench, figure: name, value, unit, baseline, ratio }) => [
    bench,
    name,
    readable(value),
    unit,
    readable(baseline),
    readable(ratio),
  ]);
  const lines = [[...HEAD], ...rows];
  const widths = HEAD.map((_, column) => Math.max(...lines.map((cells) => (cells[column] ?? '').length)));
  return lines.map((cells) => `${alignedLine(cells, widths)}\n`).join('');
}

/** Six digits are more than a benchmark can tell. */
function rounded(value: number | undefined): number | null {
  return value === undefined || !Number.isFinite(value) ? null : Number(value.toPrecision(6));
}

/** At least three digits, and none that mean nothing; a dash for what is not known. */
function readable(value: number | null): string {
  if (value === null) return '-';
  if (Number.isInteger(value)) return value.toLocaleString('en-US');
  const decimals = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

function alignedLine(cells: readonly string[], widths: readonly number[]): string {
  return HEAD.map((name, column) => {
    const [cell, width] = [cells[column] ?? '', widths[column] ?? 0];
    return LEFT.has(name) ? cell.padEnd(width) : cell.padStart(width);
  })
    .join('  ')
    .trimEnd();
}
