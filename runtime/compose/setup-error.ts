/**
 * Something that a role is started with cannot be used, and starting it again will not help before somebody mends it.
 * The message is one line for people: which field, which file or address, and what to do; it never holds a secret.
 */
export class SetupError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SetupError';
  }
}
