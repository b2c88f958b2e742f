import { PortError } from '../runtime/ports/port-error.ts';
import { SetupError } from '../runtime/compose/setup-error.ts';
import { CommandError } from './command-error.ts';
import { MISCONFIGURED } from './exit-codes.ts';

/**
 * Why something could not be started, as the command tells it: in one line where somebody can mend it, with the exit
 * code by which whoever runs the process knows that. Another error as it is: a defect.
 */
export function startFailure(error: unknown): unknown {
  if (!(error instanceof SetupError || error instanceof PortError)) return error;
  return new CommandError(error.message.replaceAll(/\s*\n\s*/g, ' '), MISCONFIGURED, { cause: error });
}
