import type { CacheGuard, CacheWrite } from '../../ports/cache.ts';
import { PortError } from '../../ports/port-error.ts';

type WriteOf<Op extends CacheWrite['op']> = Extract<CacheWrite, { op: Op }>;
type Argument = string | number;

/** Arguments of the script `apply` (scripts.ts). */
export interface ApplyArguments {
  readonly keys: readonly string[];
  readonly args: readonly Argument[];
}

/** What names depend on. */
export interface Naming {
  /** The name of a key on the server. */
  readonly key: (key: string) => string;
  /** The mark of the server that is to run the script. */
  readonly mark: string;
}

/** At this score, which no visible member has, sorted sets keep their hidden members. */
const HIDDEN_SCORE = '-inf';

/**
 * Guards and writes as the script takes them: the number of guards, each as a letter with its arguments, then each
 * write as a letter, the number of its arguments, and these. Rejects scores that are not exact.
 */
export function applyArguments(
  writes: readonly CacheWrite[],
  guards: readonly CacheGuard[],
  naming: Naming,
): ApplyArguments {
  const keys: string[] = [];
  const args: Argument[] = [guards.length];
  for (const guard of guards) {
    keys.push(naming.key(guard.key));
    args.push(...guardArguments(guard));
  }
  const writer = new Writer(keys, args, naming);
  for (const write of writes) writer.write(write);
  return { keys, args };
}

/** Whether a member belongs to the adapter or is a nonce. */
export function isHidden(member: string): boolean {
  return member.startsWith('\0');
}

function guardArguments(guard: CacheGuard): readonly Argument[] {
  switch (guard.kind) {
    case 'cardinality':
      return ['c', guard.equals];
    case 'member':
      return [guard.scored ? 'z' : 's', guard.member];
    case 'field':
      return ['f', guard.field, guard.equals === undefined ? 0 : 1, guard.equals ?? ''];
  }
}

class Writer {
  readonly #keys: string[];
  readonly #args: Argument[];
  readonly #naming: Naming;

  constructor(keys: string[], args: Argument[], naming: Naming) {
    this.#keys = keys;
    this.#args = args;
    this.#naming = naming;
  }

  write(write: CacheWrite): void {
    switch (write.op) {
      case 'add':
        this.#members(write, 'a', 'h');
        break;
      case 'remove':
        this.#members(write, 'r', 'v');
        break;
      case 'addScored':
        this.#scored(write);
        break;
      case 'removeScored':
        this.#put('R', write.key, write.members);
        break;
      case 'mark':
        this.#mark(write);
        break;
      default:
        this.#keyOrFields(write);
    }
  }

  #keyOrFields(
    write: Exclude<CacheWrite, WriteOf<'add' | 'remove' | 'addScored' | 'removeScored' | 'mark'>>,
  ): void {
    switch (write.op) {
      case 'setFields':
        this.#put('S', write.key, Object.entries(write.fields).flat());
        break;
      case 'removeFields':
        this.#put('D', write.key, write.fields);
        break;
      case 'expire':
        this.#put('e', write.key, [Math.ceil(write.ttlMs), write.ifNone === true ? 1 : 0]);
        break;
      case 'persist':
        this.#command('p', write.key);
        break;
      case 'delete':
        this.#command('u', write.key);
        break;
      case 'rename':
        this.#command('m', write.key);
        this.#keys.push(this.#naming.key(write.to));
    }
  }

  /** Hidden members are counted one by one. */
  #members({ key, members }: WriteOf<'add' | 'remove'>, visible: string, hidden: string): void {
    this.#put(visible, key, members.some(isHidden) ? members.filter((member) => !isHidden(member)) : members);
    for (const member of members) if (isHidden(member)) this.#put(hidden, key, [member]);
  }

  #scored({ key, members, keep }: WriteOf<'addScored'>): void {
    const args: Argument[] = [];
    for (const { member, score } of members) {
      if (!Number.isSafeInteger(score)) {
        throw new PortError(
          'invalid',
          'cache.apply',
          `${score} at key ${key} is not an integer up to 2^53 - 1`,
        );
      }
      args.push(isHidden(member) ? HIDDEN_SCORE : score, member);
    }
    this.#put(keep === 'lowest' ? 'L' : 'A', key, args);
  }

  #mark({ key, scored }: WriteOf<'mark'>): void {
    const { mark } = this.#naming;
    if (scored) this.#put('A', key, [HIDDEN_SCORE, mark]);
    else this.#put('h', key, [mark]);
  }

  #put(op: string, key: string, args: readonly Argument[]): void {
    if (args.length === 0) return;
    this.#keys.push(this.#naming.key(key));
    this.#args.push(op, args.length);
    // Not spread: a call takes some 100,000 arguments at most.
    for (const arg of args) this.#args.push(arg);
  }

  #command(op: string, key: string): void {
    this.#keys.push(this.#naming.key(key));
    this.#args.push(op, 0);
  }
}
