import { createHash } from 'node:crypto';

/** A Lua script that a server runs as one atomic step. */
export interface Script {
  readonly source: string;
  /** By which EVALSHA names it. */
  readonly sha: string;
}

/**
 * Begins the members that are the adapter's own. The adapter hides them, as it hides nonces: both begin with U+0000.
 */
const OWN = '\\000redis:';

/** What a mark of a server begins with (server.ts). */
export const MARK = '\0redis:mark:';

/**
 * How many members of a key are to be seen.
 *
 * A sorted set has its hidden members at the score -inf, which no visible one has, so they are counted without being
 * looked at. A set has no such order, and a million members are not to be scanned: it bears the number of its hidden
 * members, in binary, as members of its own. So the number expires, moves and is lost together with them.
 */
const SIZES = `
local BITS = {}
for bit = 0, 15 do BITS[bit + 1] = '${OWN}bit:' .. bit end

local function hiddenOf(key)
  local hidden, digits = 0, 0
  for index, held in ipairs(redis.call('SMISMEMBER', key, unpack(BITS))) do
    if held == 1 then hidden, digits = hidden + 2 ^ (index - 1), digits + 1 end
  end
  return hidden, digits
end

local function setHidden(key, hidden)
  for index, member in ipairs(BITS) do
    local digit = math.floor(hidden / 2 ^ (index - 1)) % 2
    redis.call(digit == 1 and 'SADD' or 'SREM', key, member)
  end
end

local function kindOf(key) return redis.call('TYPE', key).ok end

local function sizeOf(key)
  local kind = kindOf(key)
  if kind == 'set' then
    local hidden, digits = hiddenOf(key)
    return redis.call('SCARD', key) - hidden - digits
  end
  if kind == 'zset' then return redis.call('ZCOUNT', key, '(-inf', '+inf') end
  return 0
end
`;

/**
 * KEYS: one for each guard, then those of the writes. ARGV: as apply-script.ts writes it.
 * Answers 1 if the guards held and the writes are done. A write that meets a key of another kind is found before
 * anything is written, as Redis takes nothing back.
 */
const APPLY = `${SIZES}
local at, keyAt = 0, 0
local function arg() at = at + 1 return ARGV[at] end
local function key() keyAt = keyAt + 1 return KEYS[keyAt] end

local function holds(guard)
  local name = key()
  if guard == 'c' then return sizeOf(name) == tonumber(arg()) end
  if guard == 's' then
    local member = arg()
    return kindOf(name) == 'set' and redis.call('SISMEMBER', name, member) == 1
  end
  if guard == 'z' then
    local member = arg()
    return kindOf(name) == 'zset' and redis.call('ZSCORE', name, member) ~= false
  end
  local field, isThere, wanted = arg(), arg() == '1', arg()
  local value = kindOf(name) == 'hash' and redis.call('HGET', name, field)
  if isThere then return value == wanted end
  return not value
end

for _ = 1, tonumber(arg()) do
  if not holds(arg()) then return 0 end
end

local WANTED = { a = 'set', r = 'set', h = 'set', v = 'set', A = 'zset', L = 'zset', R = 'zset', S = 'hash', D = 'hash' }
-- Each fails on a key of another kind, and is cheaper than TYPE, whose answer is a table.
local PROBE = { set = 'SCARD', zset = 'ZCARD', hash = 'HLEN' }
local CHUNK = 4000

-- What keys hold when it is a write's turn, as far as it is known.
local kinds = {}

local function fits(op, name)
  local wanted, kind = WANTED[op], kinds[name]
  if wanted then
    kinds[name] = wanted
    if kind then return kind == wanted or kind == 'none' end
    return type(redis.pcall(PROBE[wanted], name)) == 'number'
  end
  if op == 'm' then
    local to = key()
    kind = kind or kindOf(name)
    kinds[name] = 'none'
    if kind ~= 'none' then kinds[to] = kind end
  elseif op == 'u' then
    kinds[name] = 'none'
  end
  return true
end

local first, firstKey = at, keyAt
while at < #ARGV do
  local op, count, name = arg(), tonumber(arg()), key()
  at = at + count
  if not fits(op, name) then return redis.error_reply('WRONGTYPE ' .. name .. ' holds another kind of content') end
end
at, keyAt = first, firstKey

local function each(command, name, count, option)
  local last = at + count
  while at < last do
    local to = math.min(at + CHUNK, last)
    if option then redis.call(command, name, option, unpack(ARGV, at + 1, to))
    else redis.call(command, name, unpack(ARGV, at + 1, to)) end
    at = to
  end
end

local function hide(name, member)
  if redis.call('SADD', name, member) == 1 then setHidden(name, hiddenOf(name) + 1) end
end

local function reveal(name, member)
  if redis.call('SREM', name, member) == 1 then setHidden(name, hiddenOf(name) - 1) end
end

local function expire(name, ttl, ifNone)
  if ifNone ~= '1' or redis.call('PTTL', name) == -1 then redis.call('PEXPIRE', name, ttl) end
end

while at < #ARGV do
  local op, count, name = arg(), tonumber(arg()), key()
  if op == 'L' then each('ZADD', name, count, 'LT')
  elseif op == 'e' then expire(name, arg(), arg())
  elseif op == 'A' then each('ZADD', name, count)
  elseif op == 'a' then each('SADD', name, count)
  elseif op == 'r' then each('SREM', name, count)
  elseif op == 'R' then each('ZREM', name, count)
  elseif op == 'S' then each('HSET', name, count)
  elseif op == 'D' then each('HDEL', name, count)
  elseif op == 'h' then hide(name, arg())
  elseif op == 'v' then reveal(name, arg())
  elseif op == 'p' then redis.call('PERSIST', name)
  elseif op == 'u' then redis.call('UNLINK', name)
  elseif op == 'm' then
    local to = key()
    if redis.call('EXISTS', name) == 1 then redis.call('RENAME', name, to) end
  end
end
return 1
`;

/** KEYS: a set or sorted set. Answers how many members of it are to be seen. */
const CARDINALITY = `${SIZES}
return sizeOf(KEYS[1])
`;

/** KEYS: a set. ARGV: its time to live in ms, members. Answers how many of them are new. */
const ADD_COUNTING = `
local added = 0
for from = 2, #ARGV, 4000 do
  added = added + redis.call('SADD', KEYS[1], unpack(ARGV, from, math.min(from + 3999, #ARGV)))
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return added
`;

/**
 * KEYS: a sorted set. ARGV: the mark, the limit, and, to continue, a member and its score.
 * Answers whether the mark is there, then members and scores in turn. Where the member to continue behind is gone,
 * its place is searched for among those of its score; by bytes, as Lua's own comparison depends on the locale.
 */
const PAGE = `
local key, limit = KEYS[1], tonumber(ARGV[2])
local reply = { redis.call('ZSCORE', key, ARGV[1]) and 1 or 0 }

local function isBefore(one, other)
  for index = 1, math.min(#one, #other) do
    local a, b = one:byte(index), other:byte(index)
    if a ~= b then return a < b end
  end
  return #one < #other
end

local function placeBehind(member, score)
  local found = redis.call('ZSCORE', key, member)
  if found and tonumber(found) == tonumber(score) then return redis.call('ZREVRANK', key, member) + 1 end
  local low = redis.call('ZCOUNT', key, '(' .. score, '+inf')
  local high = low + redis.call('ZCOUNT', key, score, score)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if isBefore(redis.call('ZREVRANGE', key, middle, middle)[1], member) then high = middle
    else low = middle + 1 end
  end
  return low
end

local from = ARGV[3] and placeBehind(ARGV[3], ARGV[4]) or 0
local last = math.min(from + limit, redis.call('ZCOUNT', key, '(-inf', '+inf')) - 1
if from <= last then
  for _, each in ipairs(redis.call('ZREVRANGE', key, from, last, 'WITHSCORES')) do reply[#reply + 1] = each end
end
return reply
`;

/** KEYS: a sorted set. ARGV: the highest score that is due, the limit, the score that is set. Answers the members. */
const CLAIM_DUE = `
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '(-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
for _, member in ipairs(due) do redis.call('ZADD', KEYS[1], ARGV[3], member) end
return due
`;

/** KEYS: a lease. ARGV: its token, its time in ms. Answers whether it was still held. */
const RENEW_LEASE = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
`;

/** KEYS: a lease. ARGV: its token. */
const RELEASE_LEASE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
`;

export const SCRIPTS = {
  apply: script(APPLY),
  cardinality: script(CARDINALITY),
  addCounting: script(ADD_COUNTING),
  page: script(PAGE),
  claimDue: script(CLAIM_DUE),
  renewLease: script(RENEW_LEASE),
  releaseLease: script(RELEASE_LEASE),
};

function script(source: string): Script {
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}
