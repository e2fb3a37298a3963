-- ARGV: site account role nonce lease_ms poll_interval_ms poll_burst
-- The most overdue record of that role, leased to nonce: a batch of the account, or a part of the site. A running batch is
-- to be polled, so it is given only with a turn of that rate (interval 0: whenever it is not held); until then it stays due.
-- -> {OK, b|p, id, now, fields of the record, fields of its job, tick} | {NONE, ms_until_next|'', tick}
-- An idle claim writes nothing. A tick smaller than one seen before says that Redis was rolled back.
local site, account, role = ARGV[1], ARGV[2], ARGV[3]
local cfg = redis.call('HMGET', KEYS[1], 'tick', 'schema')
local bad = schema_check(cfg[2] or (cfg[1] and 'none'))
if bad then return bad end
schema_raise(cfg[2])
local t, tick, polls = now(), num(cfg[1]), duek(account, 'run')
local interval, burst = tonumber(ARGV[6]), tonumber(ARGV[7])
local turn, tat = t, nil
if role == 'wk' then turn, tat = rate_next(account, 'polls', interval, burst, t) end
local sets = role == 'wk' and {duek(account, 'wk'), polls, duek(site, 'wk')} or {duek(account, role)}

-- What is due first, and when; a running batch not before its turn.
local function first()
  local z, m, due, at
  for _, set in ipairs(sets) do
    local e = redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')
    local d = tonumber(e[2])
    local when = d and set == polls and math.max(d, turn) or d
    if d and (not at or (when <= t and (at > t or d < due)) or (when > t and when < at)) then z, m, due, at = set, e[1], d, when end
  end
  return z, m, at
end

-- The provider wants no polls for long: nothing else says why what is due is not polled. Told once.
local function tell_held()
  if turn <= t + RATE_MAX then return end
  local m = redis.call('ZRANGEBYSCORE', polls, '-inf', t, 'LIMIT', 0, 1)[1]
  local J = m and redis.call('HGET', bk(string.sub(m, 3)), 'J')
  if not J or redis.call('HEXISTS', jk(J), 'trouble') == 1 then return end
  redis.call('HSET', jk(J), 'trouble', 'quota', 'twhy', 'the provider wants no polls for now', 'tsince', t)
end

for _ = 1, 16 do
  local z, m, at = first()
  if not m or at > t then
    tell_held()
    return {'NONE', at and tostring(at - t) or '', tostring(tick)}
  end
  local kind, id = string.sub(m, 1, 1), string.sub(m, 3)
  local key = recordk(kind, id)
  if redis.call('EXISTS', key) == 0 then redis.call('ZREM', z, m)
  else
    redis.call('ZADD', z, t + ARGV[5], m)
    redis.call('HSET', key, 'lease', ARGV[4])
    redis.call('HINCRBY', key, 'cl', 1)
    if kind == 'p' then redis.call('HSET', key, 'gen', num(redis.call('HGET', jk(redis.call('HGET', key, 'J')), 'gen'))) end
    if redis.call('HDEL', key, 'waits') == 1 then redis.call('ZREM', waitk(account, redis.call('HGET', key, 'L')), id) end
    if z == polls then rate_took(account, 'polls', interval, tat) end
    tick = redis.call('HINCRBY', KEYS[1], 'tick', 1)
    local out = leased('OK', kind, id, t)
    out[7] = tostring(tick)
    return out
  end
end
return {'NONE', '0', tostring(tick)}
