import { formatFault, readDocuments, textFault } from '../../schema/documents.ts';
import type { LocatedFault } from '../../schema/documents.ts';
import { readTextFile } from '../../schema/text-file.ts';
import { judge } from './kinds.ts';

/** A document that was looked at. */
interface Checked {
  readonly file: string;
  readonly line: number;
  readonly what: string;
}

/** A file that could not be read. */
interface Unreadable {
  readonly file: string;
  readonly message: string;
}

/** What was looked at, and everything that is wrong with it. */
interface Report {
  readonly checked: readonly Checked[];
  readonly unreadable: readonly Unreadable[];
  readonly faults: readonly LocatedFault[];
}

/** What `check` prints and ends with: 0 when nothing is wrong, else 2. */
export interface CheckResult {
  readonly output: string;
  readonly exitCode: 0 | 2;
}

/** Validates files of MiniPlatforms and configurations of roles; never throws. */
export function checkFiles(files: readonly string[], { json }: { readonly json: boolean }): CheckResult {
  const reports = files.map(checkFile);
  const report: Report = {
    checked: reports.flatMap(({ checked }) => checked),
    unreadable: reports.flatMap(({ unreadable }) => unreadable),
    faults: reports.flatMap(({ faults }) => faults),
  };
  const ok = report.faults.length === 0 && report.unreadable.length === 0;
  return { output: json ? toJson(report, ok) : toText(report), exitCode: ok ? 0 : 2 };
}

function checkFile(file: string): Report {
  const read = readTextFile(file);
  if (!read.ok) return { checked: [], unreadable: [{ file, message: read.message }], faults: [] };
  const { documents, faults } = readDocuments(read.text, file);
  if (documents.length === 0 && faults.length === 0) {
    const message = 'is empty; it must hold a MiniPlatform or the configuration of a role';
    return { checked: [], unreadable: [], faults: [textFault(file, message)] };
  }
  const judged = documents.map((document) => ({ document, ...judge(document.value) }));
  const misfits = judged.flatMap((one) => one.document.locate(one.faults));
  return {
    checked: judged.map(({ document, what }) => ({ file, line: document.start.line, what })),
    unreadable: [],
    faults: [...faults, ...misfits].sort((a, b) => a.line - b.line || a.column - b.column),
  };
}

function toText({ checked, unreadable, faults }: Report): string {
  const lines = [...unreadable.map(({ file, message }) => `${file}: ${message}`), ...faults.map(formatFault)];
  if (lines.length > 0) return `${lines.join('\n')}\n`;
  return `Valid: ${checked.map(({ file, what }) => `${what} (${file})`).join(', ')}.\n`;
}

function toJson({ checked, unreadable, faults }: Report, ok: boolean): string {
  const located = faults.map(({ file, line, column, path, value, message }) => ({
    file,
    line,
    column,
    field: path,
    value,
    message,
  }));
  return `${JSON.stringify({ ok, checked, faults: [...unreadable, ...located] }, undefined, 2)}\n`;
}
