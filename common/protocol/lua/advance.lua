-- ARGV: bid nonce from to role due_in_ms  field value ...      the one fenced transition of a batch
-- An empty value deletes the field. "@now" is replaced by Redis' time (the intent's stamp).
-- -> {OK|DUP|STATE|FENCED|GONE, st, now}
local bid, from, to, role = ARGV[1], ARGV[3], ARGV[4], ARGV[5]
local k = bk(bid)
local h = fields(k, {'lease', 'st', 'S', 'its', 'rem', 'rstat', 't0', 'by', 'ob', 'eb', 'sb', unpack(SLOT)})
if not h.st then return {'GONE', ''} end
if h.lease ~= ARGV[2] then return {'FENCED', h.st} end
if h.st ~= from then
  if h.st == to then return {'DUP', h.st, tostring(now())} end
  return {'STATE', h.st}
end
local t, f = now(), {}
local set, del = {'st', to}, {'waits'}
for i = 7, #ARGV, 2 do
  local name, value = ARGV[i], ARGV[i + 1]
  if value == '@now' then value = tostring(t) end
  f[name] = value
  if value == '' then del[#del + 1] = name
  elseif name ~= 'waits' then set[#set + 1] = name; set[#set + 1] = value end
end
local function after(name) local v = f[name] or h[name]; return v ~= '' and v or nil end
if after('rstat') ~= h.rstat or after('rem') ~= h.rem then
  if after('rstat') then set[#set + 1] = 'rsts'; set[#set + 1] = tostring(t) else del[#del + 1] = 'rsts' end
end
if to == 'BUILD' and from ~= to then set[#set + 1] = 'bts'; set[#set + 1] = tostring(t) end
redis.call('HDEL', k, unpack(del))
redis.call('HSET', k, unpack(set))
redis.call('ZREM', waitk(h.A, h.L), bid)

local due = t + ARGV[6]
if to == 'FETCH' then
  slot_release(bid, h, t)
  local stored = num(h.by) + num(after('ob')) + num(after('eb'))
  add(storek(h.A), 'bytes', stored - num(h.sb))
  redis.call('HSET', k, 'sb', whole(stored))
elseif to ~= 'CLEAN' then
  local job = redis.call('HMGET', jk(h.J), 'hold', 'cancel')
  local unwanted = (job[1] or job[2]) and is_unsent(to, after('its'))   -- it is to give back its place
  local waits = f.waits == '1' and not unwanted
  if unwanted then due = t end
  local on = to == 'RUN' or (to == 'SUBMIT' and after('its') ~= nil and not waits)
  local use = redis.call('HMGET', budgetk(h.A, h.L), 'rb', 'rt', 'rr', 'hold', 'okat')
  if on and (h.at ~= '1' or (f.its or '') ~= '') then   -- what it finds there: a refusal is about that
    local own = num(h.at)
    redis.call('HSET', k, 'u0', string.format('%.0f:%.0f:%.0f', num(use[1]) - own, num(use[2]) - own * num(h.tk), num(use[3]) - own * num(h.n)), 'okat', use[5] or 0)
  end
  if to == 'RUN' and from == 'SUBMIT' then redis.call('HDEL', k, 'over') end
  at_provider(bid, h, on)
  if waits then
    redis.call('HSET', k, 'waits', 1)
    redis.call('ZADD', waitk(h.A, h.L), num(h.t0), bid)
    if num(use[4]) <= t then due = math.min(due, t + 1000) end   -- what ended the hold has woken nobody
  end
end
if from == 'SUBMIT' and to == 'RUN' and redis.call('HEXISTS', jk(h.J), 'tfail') == 0 then trouble_over(h.J) end
local mine = batch_duek(h.A, role, to)
for _, other in ipairs({'co', 'wk', 'run'}) do
  if duek(h.A, other) ~= mine then redis.call('ZREM', duek(h.A, other), 'b:' .. bid) end
end
redis.call('ZADD', mine, due, 'b:' .. bid)
return {'OK', to, tostring(t)}
