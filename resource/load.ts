import { readOneDocument } from '../schema/documents.ts';
import type { LocatedFault } from '../schema/documents.ts';
import type { MiniPlatform } from './generated/mini-platform.ts';
import { KIND } from './schema.ts';
import { validateMiniPlatform } from './validate.ts';
import type { Validated } from './validate.ts';

/**
 * Reads and validates a platform file: one YAML 1.2 document. `old` is the platform that runs, for the rules
 * about changes. Never throws: whatever is wrong comes back as faults with line and column.
 */
export function loadMiniPlatform(text: string, file: string, old?: MiniPlatform): Validated<LocatedFault> {
  const document = readOneDocument(text, file, KIND);
  if (!('value' in document)) return { ok: false, faults: document };
  const validated = validateMiniPlatform(document.value, old);
  return validated.ok ? validated : { ok: false, faults: document.locate(validated.faults) };
}
