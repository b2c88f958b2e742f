import type { Domain } from '../domain-kit/domain.ts';
import { DOMAINS } from '../domains/registry.ts';
import type { TopicSpec } from '../ports/event-log.ts';
import { SetupError } from './setup-error.ts';

/** The domains of these names. Throws a SetupError that names the field when this build has no such domain. */
export function chooseDomains(field: string, names: readonly string[]): readonly Domain[] {
  const known = DOMAINS.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new SetupError(`${field} names ${unknown.join(', ')}; this build has ${known.join(', ')}.`);
  }
  return DOMAINS.filter(({ name }) => names.includes(name));
}

/** A topic as those declare it who write to it. Throws a SetupError when none of the domains does. */
export function topicOf(domains: readonly Domain[], name: string): TopicSpec {
  const topic = domains.flatMap(({ topics }) => topics).find((declared) => declared.name === name);
  if (topic === undefined) {
    throw new SetupError(`No domain of this platform writes to ${name}, which is to be archived.`);
  }
  return topic;
}
