-- ARGV: account rate for_ms      the provider said so: no turn that is taken from now on is before that. -> {OK}
local k, field = ratek(ARGV[1]), ARGV[2] .. '_til'
redis.call('HSET', k, field, whole(math.max(num(redis.call('HGET', k, field)), now() + ARGV[3])))
return {'OK'}
