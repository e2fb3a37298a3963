-- ARGV: account nonce lease_ms  bid ...      what is known of these batches; keeps the lease.
-- -> {OK, {st|'', file} of each} | {FENCED}
local k = P .. 'reap:' .. ARGV[1]
if redis.call('HGET', k, 'lease') ~= ARGV[2] then return {'FENCED'} end
redis.call('HSET', k, 'til', string.format('%.0f', now() + ARGV[3]))
local out = {'OK'}
for i = 4, #ARGV do
  local v = redis.call('HMGET', bk(ARGV[i]), 'st', 'file')
  out[#out + 1] = {v[1] or '', v[2] or ''}
end
return out
