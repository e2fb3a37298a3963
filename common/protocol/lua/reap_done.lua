-- ARGV: account nonce next_ms  id ...      a round is over; the next is due then at the latest. What is seen for the first
-- time is stamped, what is not among these ids is forgotten. -> {OK|FENCED}
local k, seen, t = P .. 'reap:' .. ARGV[1], P .. 'seen:' .. ARGV[1], now()
if redis.call('HGET', k, 'lease') ~= ARGV[2] then return {'FENCED'} end
local since = {}
for i = 4, #ARGV do since[ARGV[i]] = redis.call('HGET', seen, ARGV[i]) or tostring(t) end
redis.call('DEL', seen)
for id, ms in pairs(since) do redis.call('HSET', seen, id, ms) end
redis.call('HSET', k, 'last', t, 'next', string.format('%.0f', t + ARGV[3]))
redis.call('HDEL', k, 'lease', 'til')
return {'OK'}
