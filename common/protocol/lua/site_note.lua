-- ARGV: site outcome(ok|down|auth) why      what the processes last saw of a provider; stamps the first failure of a row.
-- -> {OK, down_since|''}
local k = P .. 'site:' .. ARGV[1]
if ARGV[2] == 'ok' then
  if redis.call('EXISTS', k) == 1 then redis.call('DEL', k) end
  return {'OK', ''}
end
redis.call('HSETNX', k, 'since', now())
redis.call('HSET', k, 'state', ARGV[2], 'why', ARGV[3], 'last', now())
return {'OK', redis.call('HGET', k, 'since')}
