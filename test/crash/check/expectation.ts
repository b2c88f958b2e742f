import { contentOf, type EventBody, factsOf, isFraudulent, keyOf, type StoredEvent } from '../events.ts';
import { type EventHistory, type Heard, heard } from '../ledger.ts';
import { saidOf, type Violation, type ViolationKind } from './violation.ts';

/** What must be true of an event, as far as its clients were told. */
export type Expectation =
  | { readonly state: 'stored'; readonly event: StoredEvent }
  /** It must be stored nowhere. */
  | { readonly state: 'absent' }
  | {
      readonly state: 'open';
      /** Stored once with one of these bodies, or not at all. */
      readonly bodies: readonly EventBody[];
      /** It was promised that a decision comes. */
      readonly promised: boolean;
    };

/** What follows from the answers about one event. */
export function expectationOf(history: EventHistory): Expectation {
  const answers = heard(history);
  for (const { said } of answers) {
    if (said.kind === 'stored') return { state: 'stored', event: said.event };
    if (said.kind === 'refused' || said.kind === 'discarded') return { state: 'absent' };
  }
  if (isGivenUp(history)) return { state: 'absent' };
  const without = new Set(
    answers.flatMap(({ said, body }) => (said.kind === 'key-reused' ? [contentOf(body)] : [])),
  );
  const bodies = history.attempts
    .filter(({ answered }) => answered?.said.kind !== 'not-attempted')
    .map(({ body }) => body)
    .filter((body) => !without.has(contentOf(body)));
  const isPromised = answers.some(({ said }) => said.kind === 'parked' || said.kind === 'key-reused');
  if (bodies.length === 0) return { state: 'absent' };
  return { state: 'open', bodies, promised: isPromised };
}

/** Whether an administrator has discarded it for certain: with several bodies, it may have been another one. */
function isGivenUp({ discard, attempts }: EventHistory): boolean {
  return discard === 'done' && new Set(attempts.map(({ body }) => contentOf(body))).size === 1;
}

/** Holds the answers about one event against each other and against the fraud list. */
export function checkAnswers(history: EventHistory, fraudsters: ReadonlySet<string>): readonly Violation[] {
  const answers = heard(history);
  const faults = [
    ...answers.flatMap((answer) => faultsOfOne(answer, history, fraudsters)),
    ...faultsTogether(answers, isGivenUp(history)),
    ...faultsOfReuse(answers, history),
  ];
  return faults.map(({ kind, found }) => ({ kind, subject: nameOf(history), said: saidOf(history), found }));
}

/** The key of an event, or what is known of one whose id was never told. */
export function nameOf({ type, id, attempts }: EventHistory): string {
  if (id !== undefined) return keyOf({ type, id });
  return `${type} without id ${attempts.map(({ body }) => contentOf(body)).join(' ')}`;
}

interface Fault {
  readonly kind: ViolationKind;
  readonly found: string;
}

function faultsOfOne(
  { body, said }: Heard,
  { id, discard }: EventHistory,
  fraudsters: ReadonlySet<string>,
): readonly Fault[] {
  switch (said.kind) {
    case 'stored': {
      const faults: Fault[] = [];
      if (contentOf(said.event) !== contentOf(body) || said.event.id !== id) {
        faults.push({ kind: 'different', found: `the answer is ${JSON.stringify(said.event)}` });
      }
      if (isFraudulent(body, fraudsters)) {
        faults.push({ kind: 'wrong-verdict', found: 'acknowledged in spite of the fraud list' });
      }
      return faults;
    }
    case 'refused':
      if (isFraudulent(body, fraudsters)) return [];
      return [{ kind: 'wrong-verdict', found: 'refused, and the fraud list does not say so' }];
    case 'discarded':
      return discard !== 'no' ? [] : [{ kind: 'contradiction', found: 'discarded, and nobody asked for it' }];
    case 'odd':
      return [{ kind: 'odd-answer', found: said.what }];
    default:
      return [];
  }
}

/** The first decision holds for ever: whatever is said later must agree with it. */
function faultsTogether(answers: readonly Heard[], isDiscarded: boolean): readonly Fault[] {
  const faults: Fault[] = [];
  const stored = answers.flatMap(({ said, tick, heardAt }) =>
    said.kind === 'stored' ? [{ ...said, tick, heardAt }] : [],
  );
  if (new Set(stored.map(({ event }) => factsOf(event))).size > 1) {
    faults.push({ kind: 'different', found: 'two answers show different events' });
  }
  const [first] = stored;
  const created = stored.filter(({ status }) => status === 201);
  if (created.length > 1 || created.some(({ tick }) => first !== undefined && tick > first.heardAt)) {
    faults.push({ kind: 'double', found: 'acknowledged as new (201) when it was stored already' });
  }
  const decisions = new Set(
    [...answers.map(({ said }) => said.kind), ...(isDiscarded ? ['discarded'] : [])].filter(
      (kind) => kind === 'stored' || kind === 'refused' || kind === 'discarded',
    ),
  );
  if (decisions.size > 1)
    faults.push({ kind: 'contradiction', found: `decided as ${[...decisions].join(' and ')}` });
  return faults;
}

/** A key is reused only if another body has it. */
function faultsOfReuse(answers: readonly Heard[], { attempts }: EventHistory): readonly Fault[] {
  return answers.flatMap((answer): readonly Fault[] => {
    if (answer.said.kind !== 'key-reused') return [];
    const content = contentOf(answer.body);
    const decided = answers.some(
      ({ body, said }) =>
        contentOf(body) === content &&
        (said.kind === 'stored' || said.kind === 'refused' || said.kind === 'discarded'),
    );
    if (decided)
      return [{ kind: 'contradiction', found: `${content} has the key, and is told that another has it` }];
    const hasOther = attempts.some(
      ({ body, tick, answered }) =>
        contentOf(body) !== content && tick < answer.heardAt && answered?.said.kind !== 'not-attempted',
    );
    return hasOther
      ? []
      : [{ kind: 'contradiction', found: 'the key is said to be reused, and no other body had it' }];
  });
}
