/** When, in relation to a call of a port, the process dies. */
export type Moment = 'before' | 'during' | 'after';

/** Die at the n-th call of this name from now on. */
export interface CrashOrder {
  readonly call: string;
  readonly moment: Moment;
  /** 1 is the next one. */
  readonly nth: number;
  /** With `during`: how long after the call has begun, in ms, unless it ends before. */
  readonly delayMs: number;
}

/** Of every `every` calls of this name, the last `burst` fail: `unavailable`, with or without having taken effect. */
export interface FaultOrder {
  readonly call: string;
  readonly every: number;
  readonly burst: number;
  readonly effect: 'none' | 'done';
}

/** A lie, to show that the suite finds it: of every `oneIn` calls of this kind, one is not carried out, or is falsified. */
export interface SabotageOrder {
  readonly kind: SabotageKind;
  readonly oneIn: number;
}

export const SABOTAGES = [
  'forget-events',
  'forget-records',
  'forget-names',
  'forget-objects',
  'forget-parked',
  'show-twice',
  'invent-event',
  'change-amount',
] as const;

export type SabotageKind = (typeof SABOTAGES)[number];

/** What a platform process is told on its command line, as JSON. */
export interface ChildOrders {
  readonly file: string;
  readonly stateDir: string;
  /** Store and log that know nothing of each other, in place of the one that does both in one step. */
  readonly composed: boolean;
  /** In force from the first call on, while the process starts. */
  readonly crashAtStart?: CrashOrder;
  readonly faults?: readonly FaultOrder[];
  /** Some events meet a defect whenever they are stored. */
  readonly poisoned?: boolean;
  readonly sabotage?: SabotageOrder;
}

/** What the parent says while it runs. */
export type ToChild = { readonly say: 'crash'; readonly order: CrashOrder } | { readonly say: 'tell-calls' };

/** What the child says: how often each call was made so far. */
export interface FromChild {
  readonly calls: Readonly<Record<string, number>>;
}
