-- ARGV: bid nonce rem off0 off1 masks d_ok d_bad lease_ms      checkpoint; the segments are ALREADY durable in the sink
-- off: virtual offset in (output file || error file); this one integer is the whole checkpoint.
-- masks: settled, free and seen bits of all members, as the worker packs them. -> {OK|DUP|CKPT|STATE|FENCED|GONE, co}
local k = bk(ARGV[1])
local h = redis.call('HMGET', k, 'lease', 'st', 'co', 'rem', 'A')
if not h[2] then return {'GONE'} end
if h[1] ~= ARGV[2] then return {'FENCED'} end
if h[2] ~= 'FETCH' or (h[4] or '') ~= ARGV[3] then return {'STATE', h[2]} end
local co = h[3] or '0'
if co == ARGV[5] then return {'DUP', co} end
if co ~= ARGV[4] then return {'CKPT', co} end
redis.call('HSET', k, 'co', ARGV[5], 'm', ARGV[6])
add(k, 'ok', tonumber(ARGV[7])); add(k, 'bad', tonumber(ARGV[8]))
redis.call('ZADD', duek(h[5], 'wk'), now() + ARGV[9], 'b:' .. ARGV[1])
return {'OK', ARGV[5]}
