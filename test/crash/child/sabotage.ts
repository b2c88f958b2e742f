import type { Interceptor } from './intercept.ts';
import type { SabotageKind, SabotageOrder } from './orders.ts';

/** Which calls each kind of lie is about, and what it answers in place of the truth. */
const LIES: Readonly<Record<SabotageKind, { readonly call: RegExp; readonly lie: Lie }>> = {
  'forget-events': { call: /^(event-store\.insertAndAppend|document-store\.insertMany)$/, lie: allInserted },
  'forget-records': { call: /^event-log\.append long_term_storage$/, lie: () => Promise.resolve() },
  'forget-parked': { call: /^event-log\.append parked_writes$/, lie: () => Promise.resolve() },
  'forget-names': { call: /^cache\.apply (interactions|branches)$/, lie: () => Promise.resolve(true) },
  'forget-objects': {
    call: /^object-store\.put archive/,
    lie: () => Promise.resolve({ outcome: 'stored', etag: 'a-lie' }),
  },
  'show-twice': {
    call: /^document-store\.find$/,
    lie: (_args, proceed) => changed(proceed, ([one]) => [one, one]),
  },
  'invent-event': {
    call: /^document-store\.find$/,
    lie: (_args, proceed) => changed(proceed, ([one]) => [{ ...one, _id: 'nobody-sent-this' }]),
  },
  'change-amount': {
    call: /^document-store\.find$/,
    lie: (_args, proceed) => changed(proceed, ([one]) => [dearer(one)]),
  },
};

type Lie = (args: readonly unknown[], proceed: () => unknown) => unknown;

/** Breaks a promise of the ports on purpose, now and then. */
export function sabotage({ kind, oneIn }: SabotageOrder): Interceptor {
  const { call, lie } = LIES[kind];
  let count = 0;
  return ({ name, args }, proceed) => {
    if (!call.test(name)) return proceed();
    count += 1;
    return count % oneIn === 0 ? lie(args, proceed) : proceed();
  };
}

function allInserted(args: readonly unknown[]): Promise<readonly string[]> {
  const documents = args[1] as readonly unknown[];
  return Promise.resolve(documents.map(() => 'inserted'));
}

interface FoundDocument {
  readonly _id: string;
  readonly content?: Readonly<Record<string, unknown>>;
}

/** Puts others in the place of the first document of a page. */
async function changed(
  proceed: () => unknown,
  change: (first: readonly [FoundDocument]) => readonly FoundDocument[],
): Promise<readonly FoundDocument[]> {
  const [first, ...rest] = (await proceed()) as readonly FoundDocument[];
  return first === undefined ? [] : [...change([first]), ...rest];
}

function dearer(document: FoundDocument): FoundDocument {
  return { ...document, content: { ...document.content, amount: 1 } };
}
