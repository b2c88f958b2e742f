import { faultAt, NOT_SHOWN, show } from './fault.ts';
import type { Fault, Segments } from './fault.ts';
import type { Schema } from './structural.ts';
import { nearest } from './suggest.ts';

/**
 * The fault of a field that does not exist: with the known one that was probably meant, or all known ones. Its
 * value is shown only where it cannot be a secret that someone wrote inline.
 */
export function unknownField(place: Segments, value: unknown, schema: Schema): Fault {
  const name = String(place.at(-1));
  const known = knownFields(schema);
  const file = known.get(`${name}File`);
  if (file?.['x-secret'] === true) {
    return hidden(place, `is not a known field; a secret is given as a file: name it in "${name}File"`);
  }
  const meant = nearest(name, [...known.keys()]);
  const hint =
    meant === undefined ? `; known here: ${[...known.keys()].join(', ')}` : `; did you mean "${meant}"?`;
  const probable = meant === undefined ? schema : known.get(meant);
  if (probable === undefined || holdsSecrets(probable)) return hidden(place, `is not a known field${hint}`);
  const shown = isScalar(value) ? ` (its value: ${show(value)})` : '';
  return faultAt('unknown', place, value, `is not a known field${shown}${hint}`);
}

function hidden(place: Segments, message: string): Fault {
  return { ...faultAt('unknown', place, undefined, message), value: NOT_SHOWN };
}

/** The fields that a person may set. */
function knownFields({ properties = {} }: Schema): Map<string, Schema> {
  const ours = ([, property]: [string, Schema]): boolean =>
    property['x-kubernetes-preserve-unknown-fields'] !== true;
  return new Map(Object.entries(properties).filter(ours));
}

function holdsSecrets({ properties = {}, items, ...schema }: Schema): boolean {
  if (schema['x-secret'] === true || (items !== undefined && holdsSecrets(items))) return true;
  // The resource names Secrets: who does not know that may write what belongs into one.
  return Object.entries(properties).some(
    ([name, property]) => /secret/i.test(name) || holdsSecrets(property),
  );
}

function isScalar(value: unknown): boolean {
  return value === null || typeof value !== 'object';
}
