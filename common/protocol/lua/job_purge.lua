-- ARGV: J      forget a job that has ended, and give every slot back. -> {OK|BUSY|NOJOB}
local J = ARGV[1]
local h = redis.call('HMGET', jk(J), 'st')
if not h[1] then return {'NOJOB'} end
if h[1] ~= 'FINAL' then return {'BUSY', h[1]} end
for _, bid in ipairs(redis.call('SMEMBERS', P .. 'jb:' .. J)) do
  slot_release(bid, fields(bk(bid), SLOT), now())
  batch_forget(bid)
end
redis.call('DEL', jk(J), P .. 'jb:' .. J, P .. 'pt:' .. J, P .. 'jl:' .. J, P .. 'ja:' .. J, moneyk(J))
redis.call('ZREM', P .. 'jobs', J)
return {'OK'}
