-- ARGV: kind(b|p) id nonce role lease_ms      keep a lease while working. -> {OK|FENCED|GONE}
local h = redis.call('HMGET', recordk(ARGV[1], ARGV[2]), 'lease', 'S')
if not h[2] then return {'GONE'} end
if h[1] ~= ARGV[3] then return {'FENCED'} end
redis.call('ZADD', duek(h[2], ARGV[4]), 'XX', now() + ARGV[5], ARGV[1] .. ':' .. ARGV[2])
return {'OK'}
