-- ARGV: J W      the whole input is cut into W windows. -> {OK|DUP|CURSOR|NOJOB, st|cur_w}
local k = jk(ARGV[1])
local h = redis.call('HMGET', k, 'st', 'cur_w', 'site')
if not h[1] then return {'NOJOB'} end
if h[1] ~= 'OPEN' then return {'DUP', h[1]} end
if h[2] ~= ARGV[2] then return {'CURSOR', h[2]} end
local W = tonumber(ARGV[2])
redis.call('HSET', k, 'st', 'SEALED', 'W', W, 'parts', math.ceil(W / PART_WINDOWS))
if W % PART_WINDOWS ~= 0 then part_close(ARGV[1], h[3], math.floor(W / PART_WINDOWS)) end
job_check_final(ARGV[1])
return {'OK', 'SEALED'}
