-- ARGV: site account bid nonce lease_ms linger_ms max_req max_bytes lane_batches lane_tokens lane_requests account_files account_bytes
--       batch_files      a limit of 0 is none
-- N ready shards -> 1 sealed batch, atomically: no consumer group, nothing held in a coordinator's memory.
-- Rotates over (job, lane), so a lane that is full or held blocks nobody. The limits are the provider's; the job's own
-- are in its record, what was learned of the lane is in its budget. All that the batch needs is reserved here.
-- A cancelled job's shards are packed too: that settles them should its cancel have stopped half way.
-- -> {OK, 'b', bid, now, fields of the record, fields of its job} | {DUP} | {NONE, ms_until_something_may_change|''}
-- mem: w:k:attempt:n:left,...  in the order of the ready stream. What the batch may cost is reserved of its job's cap too,
-- and no shard goes in that does not fit there. A job of which none does, and will not by itself, is held: whatever else may
-- stand in the way of a shard that fits there, it is not for the budget.
local site, account, bid, nonce = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local t, wake = now(), nil
local function limit(i) local n = tonumber(ARGV[i]); return n > 0 and n or math.huge end
local function least(cap, value) return value and math.min(cap, tonumber(value)) or cap end
local old = redis.call('HMGET', bk(bid), 'st', 'lease')
if old[1] == 'BUILD' and old[2] == nonce then return leased('OK', 'b', bid, t) end   -- its reply was lost
if old[1] then return {'DUP'} end
local function wait_until(ms) if not wake or ms < wake then wake = ms end end
local WINDOW, PAGE, MISSES, SCAN = 1024, 128, 128, 512

-- Shards whose backoff is over become ready again.
local back = redis.call('ZRANGEBYSCORE', backoffk(site), '-inf', t, 'LIMIT', 0, 256)
for i = 1, #back do
  local j, w, k = string.match(back[i], '^(.*)|(%d+)|(%d+)$')
  local h = redis.call('HMGET', sk(j, w, k), 'st', 'L', 'a', 'n', 'left', 'by', 'tk', 'eo', 'un', 'xi')
  redis.call('ZREM', backoffk(site), back[i])
  if h[1] == 'READY' then ready_put(j, site, h[2], w, k, h[3], h[4], h[5], h[6], h[7], h[8], h[9], h[10]) end
end
local nb = redis.call('ZRANGE', backoffk(site), 0, 0, 'WITHSCORES')
if nb[2] then wait_until(tonumber(nb[2])) end

local stored = redis.call('HMGET', storek(account), 'files', 'bytes')
local storage = {files = limit(12) - num(stored[1]), bytes = limit(13) - num(stored[2]), none = num(stored[1]) == 0}

-- Until a person resumes the job nothing else says why it waits: what other lanes do takes such a note back.
local function stopped(J, L)
  if redis.call('HEXISTS', jk(J), 'trouble') == 1 then return end
  redis.call('HSET', jk(J), 'trouble', 'lane', 'twhy', redis.call('HGET', budgetk(account, L), 'why') or '', 'tsince', t)
end

-- What is left of a job's cap, for requests of a lane whose price is known; of a cancelled job nothing is sent.
local function budget_of(J, L, cancelled)
  local j, m = redis.call('HMGET', jk(J), 'cap', 'spent', 'rsv'), lane_money(J, L)
  m.capped = not cancelled and j[1] and tonumber(j[1]) >= 0
  m.free = m.capped and tonumber(j[1]) - num(j[2]) - num(j[3]) or math.huge
  m.reserved = num(j[3])
  m.idle = cancelled
  return m
end

-- What this (job, lane) may take now; nil: nothing.
local function room(J, L)
  local j = redis.call('HMGET', jk(J), 'st', 'hold', 'ub', 'maxbat', 'mr', 'mb', 'cancel')
  if (j[1] ~= 'OPEN' and j[1] ~= 'SEALED') or j[2] then return nil end
  if num(j[4]) > 0 and num(j[3]) >= num(j[4]) then return nil end
  local l = fields(budgetk(account, L), {'hold', 'ub', 'ut', 'ur', 'capb', 'capt', 'capr', 'capfr', 'capfb'})
  if l.hold and tonumber(l.hold) > t then
    if tonumber(l.hold) > t + FOREVER then stopped(J, L) else wait_until(tonumber(l.hold)) end
    return nil
  end
  local alive = num(l.ub)
  if alive >= least(limit(9), l.capb) then return nil end
  if not storage.none and storage.files < tonumber(ARGV[14]) then return nil end
  local r = {mr = least(limit(7), l.capfr), mb = least(limit(8), l.capfb), open = j[1] == 'OPEN', alive = alive, learned = l}
  if num(j[5]) > 0 then r.mr = math.min(r.mr, num(j[5])) end
  if num(j[6]) > 0 then r.mb = math.min(r.mb, num(j[6])) end
  r.tokens = least(limit(10), l.capt) - num(l.ut)
  r.requests = least(limit(11), l.capr) - num(l.ur)
  r.money = budget_of(J, L, j[7])
  -- A learned cap grows a little with each batch: a batch of just that little is not worth a file.
  r.few = {tk = l.capt and tonumber(l.capt) < limit(10) and l.capt / 8 or 0,
           n = l.capr and tonumber(l.capr) < limit(11) and l.capr / 8 or 0}
  return r
end

-- Of one shard that is more than what was learned: how many of its lines; nil: all.
local function part_of(c, l)
  local part = 1
  for field, own in pairs({capt = c.tk, capr = c.n, capfr = c.n, capfb = c.by}) do
    if l[field] and own > tonumber(l[field]) then part = math.min(part, l[field] / own) end
  end
  if part < 1 and c.n > 1 then return math.max(1, math.floor(c.n * part)) end
end

-- What a ready entry says.
local function ready_read(entry)
  local mem, w, k, a, n, by, tk, eo, un, xi = string.match(entry, '^((%d+):(%d+):(%d+):%d+:(%d+)):(%d+):(%d+):?(%d*):?(%d*):?(%d*)$')
  n, tk = tonumber(n), tonumber(tk)
  return {mem = mem, w = w, k = k, a = a, n = n, by = tonumber(by), tk = tk, eo = num(eo), un = tonumber(un) or n, xi = tonumber(xi) or tk}
end
local function fits_cap(money, cost) return not money.capped or (money.quote and cost <= money.free) or false end

-- Jobs of which some lane had nothing that fits in what is left of their cap.
local poor = {}

-- First fit over the head of the stream, by what the entries say; nil: nothing fits, or it still lingers.
local function choose(J, L)
  local r = room(J, L)
  if not r then return nil end
  local money, dear = r.money, false
  local c = {n = 0, by = 0, tk = 0, cost = 0, likely = 0, money = money, id = {}, mem = {}, key = {}, a = {}, skipped = 0}
  local from, seen, misses, passed, enough, since = '-', 0, 0, 0, false, nil
  repeat
    local e = redis.call('XRANGE', qk(J, L), from, '+', 'COUNT', PAGE)
    for i = 1, #e do
      local id, s = e[i][1], ready_read(e[i][2][2])
      local en, eb, et, cost = s.n, s.by, s.tk, most_cost(money, s.xi, s.eo, s.un)
      local in_file = #c.id == 0 or (c.n + en <= r.mr and c.by + eb <= r.mb)   -- never less than one shard
      local in_lane = (r.alive == 0 and #c.id == 0) or (c.tk + et <= r.tokens and c.n + en <= r.requests)
      local in_cap = fits_cap(money, c.cost + cost)
      dear = dear or not in_cap
      local fits = in_file and in_lane and in_cap and ((storage.none and #c.id == 0) or c.by + eb <= storage.bytes)
      c.cut = c.cut or (in_file and not in_lane)
      if fits then
        local at = #c.id + 1
        c.n = c.n + en; c.by = c.by + eb; c.tk = c.tk + et; c.cost = c.cost + cost
        c.likely = c.likely + likely_cost(money, en, et, s.eo, s.un)
        c.id[at], c.mem[at], c.key[at], c.a[at] = id, s.mem, sk(J, s.w, s.k), s.a
        c.skipped = misses
      else misses, passed = misses + 1, passed + (in_cap and 0 or 1) end   -- one that fits the cap may be behind all that do not
      from, since = '(' .. id, since or tonumber(string.match(id, '^(%d+)'))
      enough = c.n >= r.mr or c.by >= r.mb or misses - passed >= MISSES
      if enough then break end
    end
    seen = seen + #e
  until enough or #e < PAGE or seen - passed >= WINDOW
  if #c.id == 0 and dear then poor[J] = true end
  if #c.id == 0 then return nil end
  if #c.id == 1 then c.asked = part_of(c, r.learned) end
  if c.cut and r.alive > 0 and (c.tk < r.few.tk or c.n < r.few.n) and 4 * c.n < r.mr and 4 * c.by < r.mb then return nil end
  local full = enough or misses > 0 or seen - passed >= WINDOW
  if r.open and not full and t < since + ARGV[6] then wait_until(since + ARGV[6]); return nil end
  return c
end

local function money_words(nano)
  local unit = math.abs(nano) >= 100000000 and '%.2f' or '%.6f'
  return string.format(unit, nano / 1000000000)
end

-- The ready shard of a lane that may cost least; nil when one fits the cap.
local function cheapest_of(J, lane, least_of)
  local money, from = budget_of(J, lane, false), '-'
  repeat
    local e = redis.call('XRANGE', qk(J, lane), from, '+', 'COUNT', PAGE)
    for i = 1, #e do
      local s = ready_read(e[i][2][2])
      local cost = most_cost(money, s.xi, s.eo, s.un)
      if fits_cap(money, cost) then return nil end
      if not least_of or cost < least_of.cost then least_of = {cost = cost, n = s.n, lane = lane, quote = money.quote} end
    end
    if #e > 0 then from = '(' .. e[#e][1] end
  until #e < PAGE
  return least_of or {cost = math.huge}
end

local function model_of(lane)
  local ok, label = pcall(cjson.decode, redis.call('HGET', lk(lane), 'label') or '')
  return ok and type(label) == 'table' and type(label.model) == 'string' and label.model or nil
end

-- A job is held when none of its ready shards fits the cap by itself, unless something may still change that: shards under way
-- or backing off, or an input of which more is being cut.
local function hold_poor(J)
  local j = fields(jk(J), {'st', 'infs', 'maxs', 'infb', 'maxb', 'cap', 'spent', 'rsv', 'cur'})
  if j.st == 'OPEN' and num(j.infs) < num(j.maxs) and num(j.infb) < num(j.maxb) then return end
  local waiting, p = 0, nil
  local lanes = redis.call('SMEMBERS', P .. 'jl:' .. J)
  for _, lane in ipairs(lanes) do waiting = waiting + redis.call('XLEN', qk(J, lane)) end
  if waiting ~= num(j.infs) then return end
  for _, lane in ipairs(lanes) do
    if redis.call('XLEN', qk(J, lane)) > 0 then
      p = cheapest_of(J, lane, p)
      if not p then return end
    end
  end
  local cur, why = (j.cur or '') .. ' ', nil
  if p.quote then
    why = string.format('the cap is %s%s: %s is spent, and the next %d requests may cost %s', cur, money_words(num(j.cap)),
      money_words(num(j.spent)), p.n, money_words(p.cost))
  else
    why = 'there is a cap, and no price is known for ' .. (model_of(p.lane) and 'model ' .. model_of(p.lane) or 'lane ' .. p.lane)
  end
  redis.call('HSET', jk(J), 'hold', 'budget', 'why', why)
end

local z = redis.call('ZRANGE', readyk(site), 0, SCAN - 1)
local J, L, c
for i = 1, #z do
  J, L = string.match(z[i], '^(.*)|([^|]*)$')
  c = choose(J, L)
  if c then break end
end
for job in pairs(poor) do hold_poor(job) end
if not c then
  if #z == SCAN then for i = 1, #z do redis.call('ZADD', readyk(site), 'XX', t, z[i]) end end
  return {'NONE', wake and tostring(math.max(0, wake - t)) or ''}
end

for i = 1, #c.key do
  local h = redis.call('HMGET', c.key[i], 'st', 'a')
  if h[1] ~= 'READY' or h[2] ~= c.a[i] then return redis.error_reply('INVARIANT ready entry ' .. c.mem[i]) end
end
for i = 1, #c.key do redis.call('HSET', c.key[i], 'st', 'IN', 'b', bid) end
if c.skipped == 0 then   -- the head of the stream: much faster than naming each entry
  local ms, seq = string.match(c.id[#c.id], '^(%d+)-(%d+)$')
  redis.call('XTRIM', qk(J, L), 'MINID', ms .. '-' .. string.format('%.0f', seq + 1))
else
  for i = 1, #c.id, 500 do redis.call('XDEL', qk(J, L), unpack(c.id, i, math.min(i + 499, #c.id))) end
end
if redis.call('XLEN', qk(J, L)) == 0 then redis.call('ZREM', readyk(site), J .. '|' .. L); redis.call('DEL', qk(J, L))
else redis.call('ZADD', readyk(site), 'XX', t, J .. '|' .. L) end
redis.call('HSET', bk(bid), 'J', J, 'S', site, 'A', account, 'L', L, 'st', 'BUILD', 'lease', nonce, 'held', 1, 'n', c.n, 'by', c.by,
  'tk', c.tk, 'mem', table.concat(c.mem, ','), 't0', t, 'cl', 1, 'sf', ARGV[14], 'sb', c.by)
if model_of(L) then redis.call('HSET', bk(bid), 'model', model_of(L)) end
if c.money.idle then redis.call('HSET', bk(bid), 'idle', 1)
elseif c.money.quote then
  local rsv = room_in(c.money.reserved, c.cost)   -- less than the cost only without a cap
  redis.call('HSET', bk(bid), 'q', c.money.quote, 'rsv', whole(rsv), 'est', whole(math.min(MOST_NANO, c.likely)))
  add(jk(J), 'rsv', rsv)
end
if c.asked then redis.call('HSET', bk(bid), 'asked', whole(c.asked)) end
local budget = budgetk(account, L)
add(budget, 'ub', 1); add(budget, 'ut', c.tk); add(budget, 'ur', c.n)
add(storek(account), 'files', tonumber(ARGV[14])); add(storek(account), 'bytes', c.by)
add(jk(J), 'ub', 1); add(jk(J), 'batches', 1)
redis.call('HSETNX', lk(L), 'a:' .. account, 1)
batches_count(site, J, account, 1)
redis.call('SADD', P .. 'jb:' .. J, bid)
redis.call('ZADD', duek(account, 'co'), t + ARGV[5], 'b:' .. bid)
return leased('OK', 'b', bid, t)
