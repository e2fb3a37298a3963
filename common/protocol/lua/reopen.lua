-- ARGV: J nonce  then per shard: w k lane left by tk mx mask n off len line crc payload|'' eo un mi mo
-- Shards of one part without evidence (the sink lost data, or a generation wants them again) become READY once more; the part is
-- merged anew, and what was counted as failed no longer is. Only who holds the lease of the part may do it.
-- -> {OK, reopened} | {FENCED|GONE}
local J = ARGV[1]
local h = redis.call('HMGET', jk(J), 'st', 'site', 'cur_w')
if not h[1] then return {'GONE'} end
local site, n, tasks = h[2], 0, 0
if ARGV[3] then
  local part = math.floor(tonumber(ARGV[3]) / PART_WINDOWS)
  if redis.call('HGET', prk(J, part), 'lease') ~= ARGV[2] then return {'FENCED'} end
end
for i = 3, #ARGV, 18 do
  local w, k, lane = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local s = sk(J, w, k)
  if tonumber(w) < tonumber(h[3]) and redis.call('EXISTS', s) == 0 then   -- what is not cut yet will be put
    n = n + 1
    tasks = tasks + tonumber(ARGV[i + 3])
    local part = math.floor(tonumber(w) / PART_WINDOWS)
    redis.call('SADD', P .. 'jl:' .. J, lane)
    redis.call('HSET', s, 'st', 'READY', 'L', lane, 'a', 0, 'f', 0, 'left', ARGV[i + 3], 'by', ARGV[i + 4], 'tk', ARGV[i + 5], 'mx', ARGV[i + 6],
      'm', ARGV[i + 7], 'n', ARGV[i + 8], 'off', ARGV[i + 9], 'len', ARGV[i + 10], 'line', ARGV[i + 11], 'crc', ARGV[i + 12],
      'eo', ARGV[i + 14], 'un', ARGV[i + 15], 'mi', ARGV[i + 16], 'mo', ARGV[i + 17])
    work_add(J, lane, 1, work_of({left = ARGV[i + 3], tk = ARGV[i + 5], eo = ARGV[i + 14], un = ARGV[i + 15]}))
    ready_put(J, site, lane, w, k, 0, ARGV[i + 8], ARGV[i + 3], ARGV[i + 4], ARGV[i + 5], ARGV[i + 14], ARGV[i + 15])
    if ARGV[i + 13] ~= '' then
      local p = pk(J, w)
      if redis.call('HSETNX', p, 'd', ARGV[i + 13]) == 1 then add(jk(J), 'infb', #ARGV[i + 13]) end
      redis.call('HINCRBY', p, 'left', 1)
    end
    add(jk(J), 'infs', 1); add(jk(J), 'done', -1)
    part_add(J, w, 1)
    redis.call('DEL', prk(J, part))
    redis.call('ZREM', duek(site, 'wk'), 'p:' .. J .. ':' .. part)
  end
end
local was = redis.call('HMGET', jk(J), 'ok', 'bad')
local bad = math.min(tasks, num(was[2]))
add(jk(J), 'bad', -bad); add(jk(J), 'ok', -math.min(tasks - bad, num(was[1])))
return {'OK', tostring(n)}
