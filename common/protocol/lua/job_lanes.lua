-- ARGV: J      the lanes that the job has so far; reads only. -> {OK, {lane, label}, ...} | {NOJOB}
if redis.call('EXISTS', jk(ARGV[1])) == 0 then return {'NOJOB'} end
local out = {'OK'}
for _, lane in ipairs(redis.call('SMEMBERS', P .. 'jl:' .. ARGV[1])) do
  out[#out + 1] = {lane, redis.call('HGET', lk(lane), 'label') or ''}
end
return out
