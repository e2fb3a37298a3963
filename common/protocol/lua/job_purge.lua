-- ARGV: J      forget a job that has ended, and give every slot back. -> {OK|BUSY|NOJOB}
local J = ARGV[1]
local h = redis.call('HMGET', jk(J), 'st', 'site')
if not h[1] then return {'NOJOB'} end
if h[1] ~= 'FINAL' then return {'BUSY', h[1]} end
for _, bid in ipairs(redis.call('SMEMBERS', P .. 'jb:' .. J)) do
  local v = redis.call('HMGET', bk(bid), 'held', 'L', 'tk', 'J')
  if v[4] then slot_release(bid, {held = v[1], L = v[2], tk = v[3], J = v[4]}) end
  redis.call('DEL', bk(bid))
  redis.call('ZREM', duek(h[2], 'wk'), 'b:' .. bid)
  redis.call('ZREM', duek(h[2], 'co'), 'b:' .. bid)
end
redis.call('DEL', jk(J), P .. 'jb:' .. J, P .. 'pt:' .. J)
redis.call('ZREM', P .. 'jobs', J)
return {'OK'}
