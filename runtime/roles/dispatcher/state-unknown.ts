import { PlatformError } from '../../errors.ts';
import { PortError } from '../../ports/port-error.ts';

/** What parking answers. Throws STATE_UNKNOWN where its services cannot tell; `what` says what is not known then. */
export async function known<T>(what: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof PortError)) throw error;
    throw new PlatformError('STATE_UNKNOWN', `${what}: not known: ${error.message}`, {}, { cause: error });
  }
}
