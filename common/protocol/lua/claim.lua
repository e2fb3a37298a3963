-- ARGV: site role nonce lease_ms      the most overdue record of that role, leased to nonce
-- -> {OK, b|p, id, now, fields of the record, fields of its job, tick} | {NONE, ms_until_next|'', tick}
-- An idle claim writes nothing. A tick smaller than one seen before says that Redis was rolled back.
local z = duek(ARGV[1], ARGV[2])
local t = now()
local tick = num(redis.call('HGET', KEYS[1], 'tick'))
for _ = 1, 16 do
  local m = redis.call('ZRANGEBYSCORE', z, '-inf', t, 'LIMIT', 0, 1)[1]
  if not m then break end
  local kind, id = string.sub(m, 1, 1), string.sub(m, 3)
  local key = recordk(kind, id)
  if redis.call('EXISTS', key) == 0 then redis.call('ZREM', z, m)
  else
    redis.call('ZADD', z, t + ARGV[4], m)
    redis.call('HSET', key, 'lease', ARGV[3])
    redis.call('HINCRBY', key, 'cl', 1)
    tick = redis.call('HINCRBY', KEYS[1], 'tick', 1)
    local out = leased('OK', kind, id, t)
    out[7] = tostring(tick)
    return out
  end
end
local nx = redis.call('ZRANGE', z, 0, 0, 'WITHSCORES')
return {'NONE', nx[2] and tostring(math.max(0, tonumber(nx[2]) - t)) or '', tostring(tick)}
