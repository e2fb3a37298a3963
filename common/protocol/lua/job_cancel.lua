-- ARGV: J max generation      the job's mark that it is cancelled, made in that generation, is ALREADY published in the sink;
-- a newer generation outranks it. Settles up to max waiting shards
-- a call (call again while it answers MORE); batches alive see the mark, are cancelled at the provider and keep what was paid.
-- -> {OK|MORE|ENDED|STATE|NOJOB, settled}
local J = ARGV[1]
local h = redis.call('HMGET', jk(J), 'st', 'site', 'gen')
if not h[1] then return {'NOJOB'} end
if num(h[3]) > tonumber(ARGV[3]) then return {'STATE'} end
if h[1] == 'FINAL' then return {'ENDED'} end
local site, left, n, bad = h[2], tonumber(ARGV[2]), 0, 0
redis.call('HSET', jk(J), 'cancel', ARGV[3])
redis.call('HDEL', jk(J), 'hold', 'why')
unsent_recall(J, now())
for _, m in ipairs(redis.call('ZRANGE', readyk(site), 0, -1)) do
  local j, lane = string.match(m, '^(.*)|([^|]*)$')
  if j == J and n < left then
    local e = redis.call('XRANGE', qk(J, lane), '-', '+', 'COUNT', left - n)
    for i = 1, #e do
      local w, k, tasks = string.match(e[i][2][2], '^(%d+):(%d+):%d+:%d+:(%d+)')
      redis.call('XDEL', qk(J, lane), e[i][1])
      bad = bad + tonumber(tasks)
      shard_settle(J, site, tonumber(w), k)
      n = n + 1
    end
    if redis.call('XLEN', qk(J, lane)) == 0 then redis.call('ZREM', readyk(site), m); redis.call('DEL', qk(J, lane)) end
  end
end
local cursor = '0'
repeat
  local r = redis.call('ZSCAN', backoffk(site), cursor, 'COUNT', 1000)
  cursor = r[1]
  for i = 1, #r[2], 2 do
    local j, w, k = string.match(r[2][i], '^(.*)|(%d+)|(%d+)$')
    if j == J and n < left and redis.call('ZREM', backoffk(site), r[2][i]) == 1 then  -- a scan may name one twice
      bad = bad + num(redis.call('HGET', sk(J, w, k), 'left'))
      shard_settle(J, site, tonumber(w), k)
      n = n + 1
    end
  end
until cursor == '0'
add(jk(J), 'bad', bad)
return {n >= left and 'MORE' or 'OK', tostring(n)}
