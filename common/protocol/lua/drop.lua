-- ARGV: bid nonce      the last transition of a batch record. -> {OK|STATE|FENCED|GONE}
local k = bk(ARGV[1])
local h = redis.call('HMGET', k, 'lease', 'st', 'S', 'J')
if not h[2] then return {'GONE'} end
if h[1] ~= ARGV[2] then return {'FENCED'} end
if h[2] ~= 'CLEAN' then return {'STATE', h[2]} end
redis.call('DEL', k)
redis.call('SREM', P .. 'jb:' .. h[4], ARGV[1])
redis.call('ZREM', duek(h[3], 'wk'), 'b:' .. ARGV[1])
redis.call('ZREM', duek(h[3], 'co'), 'b:' .. ARGV[1])
return {'OK'}
