import type { CacheGuard, CacheWrite } from '../../ports/cache.ts';
import { PortError } from '../../ports/port-error.ts';
import { isReserved } from './cache-data.ts';
import type { CacheData, CacheValue } from './cache-data.ts';
import { MemberSet } from './member-set.ts';
import { SortedSet } from './sorted-set.ts';

type Kind = CacheValue['kind'];
type WriteOf<Op extends CacheWrite['op']> = Extract<CacheWrite, { op: Op }>;
type SetValue = Extract<CacheValue, { kind: 'set' }>;
type SortedValue = Extract<CacheValue, { kind: 'sorted' }>;

/** Whether a guard holds. */
export function holds(data: CacheData, guard: CacheGuard): boolean {
  const value = data.get(guard.key);
  switch (guard.kind) {
    case 'cardinality':
      return cardinalityOf(value) === guard.equals;
    case 'member':
      return value?.kind === (guard.scored ? 'sorted' : 'set') && hasMember(value, guard.member);
    case 'field':
      return (value?.kind === 'hash' ? value.fields.get(guard.field) : undefined) === guard.equals;
  }
}

/** Members of a set or sorted set, reserved ones left out. */
export function cardinalityOf(value: CacheValue | undefined): number {
  return value === undefined || value.kind === 'hash' ? 0 : value.members.size;
}

function hasMember(value: CacheValue, member: string): boolean {
  return value.kind !== 'hash' && (value.members.has(member) || value.reserved.has(member));
}

/** Throws `invalid` before anything is written if a write meets a key of another kind, or is no write. */
export function checkWrites(data: CacheData, writes: readonly CacheWrite[]): void {
  // What each key will hold when it is a write's turn.
  const kinds = new Map<string, Kind | undefined>();
  for (const write of writes) {
    const kind = kinds.has(write.key) ? kinds.get(write.key) : data.get(write.key)?.kind;
    const wanted = kindFor(write);
    if (wanted === undefined) follow(kinds, write, kind);
    else if (kind === undefined || kind === wanted) kinds.set(write.key, wanted);
    else throw new PortError('invalid', 'cache.apply', `${write.op} meets a ${kind} at key ${write.key}`);
    if (write.op === 'addScored') checkScores(write);
  }
}

function follow(kinds: Map<string, Kind | undefined>, write: CacheWrite, kind: Kind | undefined): void {
  if (write.op === 'delete' || write.op === 'rename') kinds.set(write.key, undefined);
  if (write.op === 'rename' && kind !== undefined) kinds.set(write.to, kind);
}

function checkScores({ key, members }: WriteOf<'addScored'>): void {
  for (const { score } of members) {
    if (Number.isSafeInteger(score)) continue;
    throw new PortError('invalid', 'cache.apply', `${score} at key ${key} is not an integer up to 2^53 - 1`);
  }
}

function kindFor(write: CacheWrite): Kind | undefined {
  switch (write.op) {
    case 'add':
    case 'remove':
      return 'set';
    case 'addScored':
    case 'removeScored':
      return 'sorted';
    case 'setFields':
    case 'removeFields':
      return 'hash';
    case 'mark':
      return write.scored ? 'sorted' : 'set';
    default:
      return undefined;
  }
}

/** Does one write that has been checked. */
export function write(data: CacheData, change: CacheWrite): void {
  switch (change.op) {
    case 'add':
      add(data, change);
      break;
    case 'remove':
    case 'removeScored':
      removeMembers(data, change);
      break;
    case 'addScored':
      addScored(data, change);
      break;
    case 'setFields':
      setFields(data, change);
      break;
    case 'removeFields':
      removeFields(data, change);
      break;
    case 'mark':
      mark(data, change);
      break;
    default:
      writeKey(data, change);
  }
}

function writeKey(data: CacheData, change: WriteOf<'rename' | 'expire' | 'persist' | 'delete'>): void {
  switch (change.op) {
    case 'rename':
      data.rename(change.key, change.to);
      break;
    case 'expire':
      if (change.ifNone !== true || !data.expires(change.key)) data.expire(change.key, change.ttlMs);
      break;
    case 'persist':
      data.expire(change.key, undefined);
      break;
    case 'delete':
      data.delete(change.key);
  }
}

function add(data: CacheData, { key, members }: WriteOf<'add'>): void {
  if (members.length === 0) return;
  const value = theSet(data, key);
  for (const member of members) (isReserved(member) ? value.reserved : value.members).add(member);
}

function addScored(data: CacheData, { key, members, keep }: WriteOf<'addScored'>): void {
  if (members.length === 0) return;
  const value = theSortedSet(data, key);
  for (const scored of members) {
    if (isReserved(scored.member)) value.reserved.set(scored.member, scored.score);
    else value.members.add(scored, keep);
  }
}

function mark(data: CacheData, { key, scored }: WriteOf<'mark'>): void {
  const value = scored ? theSortedSet(data, key) : theSet(data, key);
  value.mark = data.serverId;
}

function removeMembers(data: CacheData, { key, members }: WriteOf<'remove' | 'removeScored'>): void {
  const value = data.get(key);
  if (value === undefined || value.kind === 'hash') return;
  for (const member of members) {
    if (isReserved(member)) value.reserved.delete(member);
    else if (value.kind === 'set') value.members.delete(member);
    else value.members.remove(member);
  }
  const empty = value.members.size === 0 && value.reserved.size === 0 && value.mark === undefined;
  if (empty) data.delete(key);
}

function setFields(data: CacheData, { key, fields }: WriteOf<'setFields'>): void {
  const entries = Object.entries(fields);
  if (entries.length === 0) return;
  let value = data.getAs('hash', key);
  if (value === undefined) {
    value = { kind: 'hash', fields: new Map() };
    data.put(key, value);
  }
  for (const [field, text] of entries) value.fields.set(field, text);
}

function removeFields(data: CacheData, { key, fields }: WriteOf<'removeFields'>): void {
  const value = data.getAs('hash', key);
  if (value === undefined) return;
  for (const field of fields) value.fields.delete(field);
  if (value.fields.size === 0) data.delete(key);
}

function theSet(data: CacheData, key: string): SetValue {
  const existing = data.getAs('set', key);
  if (existing !== undefined) return existing;
  const created: SetValue = { kind: 'set', members: new MemberSet(), reserved: new Set(), mark: undefined };
  data.put(key, created);
  return created;
}

function theSortedSet(data: CacheData, key: string): SortedValue {
  const existing = data.getAs('sorted', key);
  if (existing !== undefined) return existing;
  const created: SortedValue = {
    kind: 'sorted',
    members: new SortedSet(),
    reserved: new Map(),
    mark: undefined,
  };
  data.put(key, created);
  return created;
}
