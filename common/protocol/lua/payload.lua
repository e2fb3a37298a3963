-- ARGV: J w      the inline payload of a window. -> {OK, bytes} | {GONE}
local d = redis.call('HGET', pk(ARGV[1], ARGV[2]), 'd')
if not d then return {'GONE'} end
return {'OK', d}
