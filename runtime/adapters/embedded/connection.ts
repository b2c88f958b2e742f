import { DatabaseSync } from 'node:sqlite';
import type { SQLOutputValue, StatementSync } from 'node:sqlite';

/** A row as SQLite gives it. */
export type Row = Record<string, SQLOutputValue>;

/** A database connection that prepares each statement once. */
export class Connection {
  readonly database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(file: string, pragmas: readonly string[]) {
    this.database = new DatabaseSync(file, { timeout: 5_000 });
    for (const pragma of pragmas) this.database.exec(`PRAGMA ${pragma}`);
  }

  /** The prepared statement for this text; the number of different texts must be bounded. */
  statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /** Runs a statement that has no parameters and no result. */
  run(sql: string): void {
    this.statement(sql).run();
  }

  close(): void {
    this.#statements.clear();
    this.database.close();
  }
}

/** A column that holds text. */
export function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== 'string') throw new TypeError(`column ${column} holds ${typeof value}, not text`);
  return value;
}

/** A column that holds an integer up to 2^53 - 1. */
export function integerOf(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== 'number')
    throw new TypeError(`column ${column} holds ${typeof value}, not an integer`);
  return value;
}
