-- ARGV: J kind|'' why      what keeps a job from moving, as the process that met it sees it; '' takes it back. The first time of a
-- row is kept. Any progress (created, done, part_done) takes it back too. -> {OK|NOJOB}
local k = jk(ARGV[1])
if redis.call('EXISTS', k) == 0 then return {'NOJOB'} end
if ARGV[2] == '' then trouble_over(ARGV[1])
else
  redis.call('HSETNX', k, 'tsince', now())
  redis.call('HSET', k, 'trouble', ARGV[2], 'twhy', ARGV[3])
end
return {'OK'}
