-- ARGV: J part nonce      the part's merged files are ALREADY published in the sink. Merged in the generation that was the job's
-- when the part was claimed, at least. -> {OK|DUP|FENCED|GONE, st}
local J, part = ARGV[1], ARGV[2]
local j = redis.call('HMGET', jk(J), 'st', 'site')
if not j[1] then return {'GONE'} end
if redis.call('HEXISTS', P .. 'pt:' .. J, 'd' .. part) == 1 then return {'DUP', j[1]} end
local h = redis.call('HMGET', prk(J, part), 'J', 'lease', 'gen')
if not h[1] then return {'GONE'} end
if h[2] ~= ARGV[3] then return {'FENCED'} end
redis.call('HSET', P .. 'pt:' .. J, 'd' .. part, num(h[3]))
redis.call('DEL', prk(J, part))
redis.call('ZREM', duek(j[2], 'wk'), 'p:' .. J .. ':' .. part)
add(jk(J), 'pdone', 1)
trouble_over(J)
job_check_final(J)
return {'OK', redis.call('HGET', jk(J), 'st')}
