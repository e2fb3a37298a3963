-- ARGV: J      what a person wants to know of a job; reads only.
-- -> {OK, now, job fields, site fields, {{bid, st .. stop, lane's label hold, 1 if it is empty}, ...}, {{lane, account, label, hold .. capfb}, ...},
--     {account, live batches, ...}, until when a provider asked to wait with some call,
--     {left, need|-1 not known, lines left of which the price or the work is not known, estimated input, counted input, output, lines}} | {NOJOB}
local J = ARGV[1]
local j = redis.call('HGETALL', jk(J))
if #j == 0 then return {'NOJOB'} end
local MOST = 1000
local function row(first, values, n)
  for i = 1, n do first[#first + 1] = values[i] or '' end
  return first
end

local site = redis.call('HGET', jk(J), 'site')
local batches, labels = {}, {}
local t, parked = now(), 0
local function label(lane)
  if not labels[lane] then labels[lane] = redis.call('HGET', lk(lane), 'label') or '' end
  return labels[lane]
end
for _, bid in ipairs(redis.call('SMEMBERS', P .. 'jb:' .. J)) do
  if #batches >= MOST then break end
  local v = redis.call('HMGET', bk(bid), 'st', 'n', 'rem', 'rstat', 'rdone', 'rfail', 'co', 'ob', 'eb', 'L', 't0', 'err', 'ok', 'bad', 'fail',
    'A', 'tries', 'rsts', 'alarm', 'stop')
  if v[1] then
    parked = math.max(parked, (batch_parked(bid, t)))
    local r = row({bid}, v, 20)
    r[22], r[23] = label(v[10]), redis.call('HGET', budgetk(v[16], v[10]), 'hold') or ''
    r[24] = is_empty(fields(bk(bid), EMPTY)) and '1' or ''
    batches[#batches + 1] = r
  end
end

local lanes = {}
for _, lane in ipairs(redis.call('SMEMBERS', P .. 'jl:' .. J)) do
  for _, field in ipairs(redis.call('HKEYS', lk(lane))) do
    local account = string.match(field, '^a:(.*)$')
    for _, rate in ipairs(account and RATES or {}) do parked = math.max(parked, num(redis.call('HGET', ratek(account), rate .. '_til'))) end
    if account and #lanes < MOST then
      local v = redis.call('HMGET', budgetk(account, lane), 'hold', 'why', 'ub', 'ut', 'ur', 'capb', 'capt', 'capr', 'capfr', 'capfb')
      lanes[#lanes + 1] = row({lane, account, label(lane)}, v, 10)
    end
  end
end
local left, need, unpriced, sum = 0, 0, 0, {ei = 0, ai = 0, ao = 0, nl = 0}
for _, lane in ipairs(redis.call('SMEMBERS', P .. 'jl:' .. J)) do
  local m = lane_money(J, lane)
  local most = most_cost(m, m.wx, m.wo, m.wu)
  left, need = left + likely_cost(m, m.wn, m.wi, m.wo, m.wu), need + (most > 0 and most + m.wn or 0)   -- each shard is rounded up
  if not m.quote then unpriced = unpriced + m.wn end
  for name, n in pairs(sum) do sum[name] = n + m[name] end
end
if redis.call('HEXISTS', moneyk(J), 'w') == 0 then   -- a job from before these sums were kept: not before it is opened again
  local v = redis.call('HMGET', jk(J), 'n', 'ok', 'bad', 'inv')
  left, unpriced = 0, math.max(0, num(v[1]) - num(v[2]) - num(v[3]) - num(v[4]))
end
left = math.min(MOST_NANO, left)
local money = {whole(left), (unpriced > 0 or need >= MOST_NANO) and '-1' or whole(need), whole(unpriced), whole(sum.ei), whole(sum.ai), whole(sum.ao), whole(sum.nl)}
return {'OK', tostring(t), j, redis.call('HGETALL', P .. 'site:' .. site), batches, lanes, redis.call('HGETALL', P .. 'ja:' .. J),
  parked > t and whole(parked) or '0', money}
