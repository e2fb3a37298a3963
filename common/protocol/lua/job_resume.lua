-- ARGV: J reason|''      lift a hold: of that reason only, or any. The operator's also those of the job's lanes
-- and of the rates of their accounts.
-- -> {OK|DUP|NOJOB}
local k = jk(ARGV[1])
local h = redis.call('HMGET', k, 'st', 'hold')
if not h[1] then return {'NOJOB'} end
local lifted = 0
if ARGV[2] == '' or ARGV[2] == 'operator' then lifted = holds_lift(ARGV[1], now()) end
if not h[2] then return {lifted > 0 and 'OK' or 'DUP'} end
if ARGV[2] ~= '' and ARGV[2] ~= h[2] then return {'DUP', h[2]} end
redis.call('HDEL', k, 'hold', 'why')
return {'OK'}
