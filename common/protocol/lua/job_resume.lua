-- ARGV: J reason|''      lift a hold: of that reason only, or any. -> {OK|DUP|NOJOB}
local k = jk(ARGV[1])
local h = redis.call('HMGET', k, 'st', 'hold')
if not h[1] then return {'NOJOB'} end
if not h[2] or (ARGV[2] ~= '' and ARGV[2] ~= h[2]) then return {'DUP'} end
redis.call('HDEL', k, 'hold', 'why')
return {'OK'}
