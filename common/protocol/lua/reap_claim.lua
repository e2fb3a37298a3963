-- ARGV: account nonce lease_ms max_age_ms      one process at a time looks for what nobody knows at a provider, for each account.
-- Due when the last round is that old, or when the last round asked for another one by now.
-- -> {OK, now, {id, first seen, ...}, {ji, state of its job, ...}} | {BUSY|NONE, ms until it may be due}
local k, t = P .. 'reap:' .. ARGV[1], now()
local h = redis.call('HMGET', k, 'lease', 'til', 'last', 'next')
if h[1] and h[1] ~= ARGV[2] and num(h[2]) > t then return {'BUSY', tostring(num(h[2]) - t)} end
local at = h[3] and num(h[3]) + num(ARGV[4]) or t
if h[4] and num(h[4]) < at then at = num(h[4]) end
if at > t then return {'NONE', tostring(at - t)} end
redis.call('HSET', k, 'lease', ARGV[2], 'til', string.format('%.0f', t + ARGV[3]))
local jobs = {}
for _, J in ipairs(redis.call('ZREVRANGE', P .. 'jobs', 0, 9999)) do
  local v = redis.call('HMGET', jk(J), 'ji', 'st')
  if v[1] then jobs[#jobs + 1] = v[1]; jobs[#jobs + 1] = v[2] end
end
return {'OK', tostring(t), redis.call('HGETALL', P .. 'seen:' .. ARGV[1]), jobs}
