-- ARGV: J part nonce      the part's merged files are ALREADY published in the sink. -> {OK|DUP|FENCED|GONE, st}
local J, part = ARGV[1], ARGV[2]
local j = redis.call('HMGET', jk(J), 'st', 'site')
if not j[1] then return {'GONE'} end
if redis.call('HEXISTS', P .. 'pt:' .. J, 'd' .. part) == 1 then return {'DUP', j[1]} end
local lease = redis.call('HGET', prk(J, part), 'lease')
if not lease then return {'GONE'} end
if lease ~= ARGV[3] then return {'FENCED'} end
redis.call('HSET', P .. 'pt:' .. J, 'd' .. part, 1)
redis.call('DEL', prk(J, part))
redis.call('ZREM', duek(j[2], 'wk'), 'p:' .. J .. ':' .. part)
add(jk(J), 'pdone', 1)
trouble_over(J)
job_check_final(J)
return {'OK', redis.call('HGET', jk(J), 'st')}
