-- ARGV: lane hold_ms why capt_factor_percent|''      the provider refuses more for now. A factor lowers the learned token cap to
-- that share of what is in use (never below what one shard needs: pack sees to it). -> {OK}
local k = lk(ARGV[1])
redis.call('HSET', k, 'hold', string.format('%.0f', now() + ARGV[2]), 'why', ARGV[3])
if ARGV[4] ~= '' then
  local ut = num(redis.call('HGET', k, 'ut'))
  if ut > 0 then redis.call('HSET', k, 'capt', string.format('%.0f', math.floor(ut * ARGV[4] / 100))) end
end
return {'OK'}
