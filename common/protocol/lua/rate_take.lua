-- ARGV: account rate interval_ms burst      a turn: b calls at once, then one each interval (GCRA). Taken even when it is
-- later than now, but not when it is more than RATE_MAX away. -> {OK, wait_ms, now} | {BUSY, come again in ms}
-- | {HELD, come again in ms}: it is the provider that wants none for so long
local i, b, t = tonumber(ARGV[3]), tonumber(ARGV[4]), now()
local at, tat = rate_next(ARGV[1], ARGV[2], i, b, t)
if at - t > RATE_MAX then
  local held = num(redis.call('HGET', ratek(ARGV[1]), ARGV[2] .. '_til')) > t + RATE_MAX
  return {held and 'HELD' or 'BUSY', tostring(at - t - RATE_MAX)}
end
rate_took(ARGV[1], ARGV[2], i, tat)
return {'OK', tostring(at - t), tostring(t)}
