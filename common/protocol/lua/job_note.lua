-- ARGV: J kind|'' why      what keeps a job from moving, as the process that met it sees it; '' takes it back. The first time of a
-- row is kept. Any progress (created, done, part_done) takes it back too; but of what a batch failed for (ARGV 4), an accepted create
-- shows nothing. Own limits ("limits") never hide anything else, and do not count as its beginning. -> {OK|NOJOB}
local k = jk(ARGV[1])
if redis.call('EXISTS', k) == 0 then return {'NOJOB'} end
if ARGV[2] == '' then trouble_over(ARGV[1])
else
  local old = redis.call('HGET', k, 'trouble')
  if ARGV[2] == 'limits' and old and old ~= 'limits' then return {'OK'} end
  if old == 'limits' and ARGV[2] ~= 'limits' then trouble_over(ARGV[1]) end
  redis.call('HSETNX', k, 'tsince', now())
  redis.call('HSET', k, 'trouble', ARGV[2], 'twhy', ARGV[3])
  if ARGV[4] == '1' then redis.call('HSET', k, 'tfail', 1) end
end
return {'OK'}
