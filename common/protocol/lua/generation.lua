-- ARGV: J generation  then per part: part its      resubmission `generation` of the job is ALREADY published in the sink, and lists
-- rows of these parts; `its`: the newest generation that lists rows of the part. A part that was merged before that is merged
-- again, and who is merging it as it was loses the lease: the merge finds what is listed without a result, and reopens it.
-- An earlier cancel is taken back. Again: nothing. -> {OK, parts to be merged} | {STATE|ENDED|NOJOB}
local J, n = ARGV[1], 0
local h = redis.call('HMGET', jk(J), 'st', 'site')
if not h[1] then return {'NOJOB'} end
local refused = generation_begin(J, tonumber(ARGV[2]))
if refused then return {refused} end
local pt = P .. 'pt:' .. J
for i = 3, #ARGV, 2 do
  local part, its = ARGV[i], tonumber(ARGV[i + 1])
  local done = redis.call('HGET', pt, 'd' .. part)
  local claimed = redis.call('HGET', prk(J, part), 'gen')
  if claimed and tonumber(claimed) < its then
    redis.call('HDEL', prk(J, part), 'lease', 'gen')
    redis.call('ZADD', duek(h[2], 'wk'), 'XX', now(), 'p:' .. J .. ':' .. part)
  end
  if done and num(done) < its then
    redis.call('HDEL', pt, 'd' .. part)
    add(jk(J), 'pdone', -1)
    n = n + 1
    part_check(J, h[2], part)
  end
end
if n > 0 and h[1] == 'FINAL' then redis.call('HSET', jk(J), 'st', 'SEALED'); redis.call('HDEL', jk(J), 'fin') end
return {'OK', tostring(n)}
