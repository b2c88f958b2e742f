import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeFolder } from './durable-folders.ts';
import { messageOf, sqliteCode } from './system-error.ts';

/** Why a state directory cannot be used. */
export type StateDirectoryFault = 'in-use' | 'not-writable';

/** A state directory cannot be used; the message is one line and says what to do. */
export class StateDirectoryError extends Error {
  readonly reason: StateDirectoryFault;

  constructor(reason: StateDirectoryFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StateDirectoryError';
    this.reason = reason;
  }
}

/** SQLite's code for a lock that another holds. */
const SQLITE_BUSY = 5;

/** The folder in which one process keeps the state of one platform; no other process has it meanwhile. */
export class StateDirectory {
  readonly path: string;
  readonly #lock: DatabaseSync;

  private constructor(path: string, lock: DatabaseSync) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Opens `<base>/<name>/`, or makes it for this user only, and locks it. Rejects with a StateDirectoryError.
   * The lock is SQLite's on `lock.db`: the system drops it when the process ends, however it ends.
   */
  static async open(base: string, name: string): Promise<StateDirectory> {
    const path = resolve(base, name);
    try {
      await makeFolder(path);
      await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
      return new StateDirectory(path, lockIn(path));
    } catch (error) {
      throw explained(path, error);
    }
  }

  /** Gives the directory free. */
  close(): Promise<void> {
    if (this.#lock.isOpen) this.#lock.close();
    return Promise.resolve();
  }
}

function lockIn(path: string): DatabaseSync {
  const database = new DatabaseSync(join(path, 'lock.db'), { timeout: 0 });
  try {
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function explained(path: string, error: unknown): StateDirectoryError {
  if (sqliteCode(error) === SQLITE_BUSY) {
    const message = `${path} is in use by another process: stop that one, or use another name or state directory.`;
    return new StateDirectoryError('in-use', message, { cause: error });
  }
  const message = `${path} cannot be written (${messageOf(error)}): make it a writable directory, or choose another.`;
  return new StateDirectoryError('not-writable', message, { cause: error });
}
