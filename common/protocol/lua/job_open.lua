-- ARGV: J ji fp spec site generation quotes  then so often: lane quote|''  then: field value ...      the fields are the
-- tunables, overwritten by each open, and so are the quotes of the lanes.
-- generation: the newest one that the sink has; a job that Redis knows in an older one moves to it. RESUME lifts
-- the holds of lanes and rates, and one for its budget: pack holds the job again when the cap leaves nothing to do. STATE: its
-- money is in another currency already, spent or of batches that are alive. A job from before sums were kept of its work gets them.
-- -> {NEW|RESUME, ji, st, cur_w, cur_off, cur_line, spec} | {CONFLICT, fp} | {STATE, currency that its money is in}
local J, g = ARGV[1], tonumber(ARGV[6])
local k = jk(J)
local cfg = redis.call('HMGET', KEYS[1], 'schema', 'tick')
local bad = schema_check(cfg[1] or (cfg[2] and 'none'))
if bad then return bad end
local h = redis.call('HMGET', k, 'fp', 'ji', 'st', 'cur_w', 'cur_off', 'cur_line', 'spec', 'gen', 'cur', 'spent', 'hold')
if h[1] and (h[1] ~= ARGV[3]) then return {'CONFLICT', h[1]} end
local kv, first, cur = {}, 8 + 2 * ARGV[7], ''
for i = first, #ARGV do kv[#kv + 1] = ARGV[i] end
for i = 1, #kv, 2 do if kv[i] == 'cur' then cur = kv[i + 1] end end
if h[1] and cur ~= '' and (h[9] or '') ~= cur then
  if num(h[10]) > 0 then return {'STATE', h[9] or ''} end
  for _, bid in ipairs(redis.call('SMEMBERS', P .. 'jb:' .. J)) do
    local b = redis.call('HMGET', bk(bid), 'q', 'st')
    local other = string.match(b[1] or '', '^(%u+):')
    if other and other ~= cur and b[2] ~= 'CLEAN' then return {'STATE', other} end
  end
end
schema_raise(cfg[1])

-- Batches that were packed when their price was not known: it counts from now on.
local function reserve_late(bid)
  local b = fields(bk(bid), {'q', 'idle', 'mem', 'L', 'st'})
  local m, cost, likely = b.L and lane_money(J, b.L) or {}, 0, 0
  if b.q or b.idle or not m.quote or b.st == 'CLEAN' then return end
  for w, i in string.gmatch(b.mem, '(%d+):(%d+):%d+:%d+:%d+') do
    local s = fields(sk(J, w, i), WORK)
    local o = work_of(s)
    cost = cost + most_cost(m, o[5], o[3], o[4])
    likely = likely + likely_cost(m, o[1], o[2], o[3], o[4])
  end
  cost = room_in(num(redis.call('HGET', k, 'rsv')), cost)
  redis.call('HSET', bk(bid), 'q', m.quote, 'rsv', whole(cost), 'est', whole(math.min(MOST_NANO, likely)))
  add(k, 'rsv', cost)
end

-- Of each shard that is not settled: in a stream, backing off, or in a batch.
local function shards_each(act)
  for _, lane in ipairs(redis.call('SMEMBERS', P .. 'jl:' .. J)) do
    for _, e in ipairs(redis.call('XRANGE', qk(J, lane), '-', '+')) do act(string.match(e[2][2], '^(%d+):(%d+):')) end
  end
  for _, m in ipairs(redis.call('ZRANGE', backoffk(ARGV[5]), 0, -1)) do
    local j, w, i = string.match(m, '^(.*)|(%d+)|(%d+)$')
    if j == J then act(w, i) end
  end
  for _, bid in ipairs(redis.call('SMEMBERS', P .. 'jb:' .. J)) do
    local b = redis.call('HMGET', bk(bid), 'mem', 'st')
    for w, i in string.gmatch(b[2] ~= 'CLEAN' and b[1] or '', '(%d+):(%d+):%d+:%d+:%d+') do act(w, i) end
  end
end

local function work_begin()
  if redis.call('HEXISTS', moneyk(J), 'w') == 1 then return end
  for _, lane in ipairs(redis.call('SMEMBERS', P .. 'jl:' .. J)) do
    for _, word in ipairs(WORDS) do redis.call('HDEL', moneyk(J), word .. lane) end
  end
  redis.call('HSET', moneyk(J), 'w', 1)
  shards_each(function(w, i)
    local s = fields(sk(J, w, i), WORK)
    if s.L then work_add(J, s.L, 1, work_of(s)) end
  end)
end

local function quotes_set()
  for i = 8, first - 1, 2 do
    if ARGV[i + 1] ~= '' then redis.call('HSET', moneyk(J), 'q:' .. ARGV[i], ARGV[i + 1])
    else redis.call('HDEL', moneyk(J), 'q:' .. ARGV[i]) end
  end
end

if h[1] then
  if #kv > 0 then redis.call('HSET', k, unpack(kv)) end
  redis.call('HINCRBY', k, 'opens', 1)
  quotes_set()
  work_begin()
  for _, bid in ipairs(redis.call('SMEMBERS', P .. 'jb:' .. J)) do reserve_late(bid) end
  if h[11] == 'budget' then redis.call('HDEL', k, 'hold', 'why') end
  if g > num(h[8]) then generation_begin(J, g) end
  holds_lift(J, now())
  return {'RESUME', h[2], h[3], h[4], h[5], h[6], h[7]}
end
redis.call('HSET', KEYS[1], 'schema', SCHEMA)
redis.call('HSET', k, 'name', J, 'fp', ARGV[3], 'ji', ARGV[2], 'spec', ARGV[4], 'site', ARGV[5], 'st', 'OPEN', 'created', now(),
  'cur_w', 0, 'cur_off', 0, 'cur_line', 1, 'infs', 0, 'infb', 0, 'shards', 0, 'done', 0, 'ok', 0, 'bad', 0, 'inv', 0,
  'n', 0, 'ub', 0, 'parts', 0, 'pdone', 0, 'batches', 0, 'opens', 1, 'gen', g, unpack(kv))
quotes_set()
work_begin()
redis.call('ZADD', P .. 'jobs', now(), J)
return {'NEW', ARGV[2], 'OPEN', '0', '0', '1', ARGV[4]}
