import { KIND } from '../../resource/schema.ts';
import { validateMiniPlatform } from '../../resource/validate.ts';
import { compileConfig } from '../../runtime/config/role-config.ts';
import { ROLE_CONFIGS } from '../../runtime/config/roles.ts';
import { check } from '../../schema/check.ts';
import { isMap } from '../../schema/fault.ts';
import type { Fault } from '../../schema/fault.ts';
import type { Schema } from '../../schema/structural.ts';

/** What a document says it is, and what is wrong with it. */
export interface Judged {
  /** Its kind, with the name if it has one, for people. */
  readonly what: string;
  readonly faults: readonly Fault[];
}

type Judge = (value: Readonly<Record<string, unknown>>) => Judged;

const roles = Object.values(ROLE_CONFIGS).map((declared): readonly [string, Judge] => [
  declared.kind,
  (value) => {
    const compiled = compileConfig<unknown>(declared, value);
    return { what: declared.kind, faults: compiled.ok ? [] : compiled.faults };
  },
]);

const KINDS: ReadonlyMap<unknown, Judge> = new Map([[KIND, judgePlatform], ...roles]);

/** What every document has, whatever its kind. */
const HEAD: Schema = {
  type: 'object',
  required: ['kind'],
  properties: { kind: { type: 'string', enum: [...KINDS.keys()] } },
  additionalProperties: { 'x-kubernetes-preserve-unknown-fields': true },
};

/** Judges a document by its kind: a MiniPlatform, or the configuration of a role. */
export function judge(value: unknown): Judged {
  const judgeKind = isMap(value) ? KINDS.get(value['kind']) : undefined;
  return isMap(value) && judgeKind !== undefined
    ? judgeKind(value)
    : { what: 'a document', faults: check(value, HEAD) };
}

function judgePlatform(value: Readonly<Record<string, unknown>>): Judged {
  const validated = validateMiniPlatform(value);
  return validated.ok
    ? { what: `${KIND} ${validated.resource.metadata.name}`, faults: [] }
    : { what: KIND, faults: validated.faults };
}
