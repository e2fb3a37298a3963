-- ARGV: kind(b|p) id nonce role lease_ms      keep a lease while working. -> {OK|FENCED|GONE}
local h = redis.call('HMGET', recordk(ARGV[1], ARGV[2]), 'lease', 'S', 'A', 'st')
if not h[2] then return {'GONE'} end
if h[1] ~= ARGV[3] then return {'FENCED'} end
local z = ARGV[1] == 'b' and batch_duek(h[3], ARGV[4], h[4]) or duek(h[2], ARGV[4])
redis.call('ZADD', z, 'XX', now() + ARGV[5], ARGV[1] .. ':' .. ARGV[2])
return {'OK'}
