-- Pasted before each script. KEYS[1] is always "sheaf:{cell}:cfg": one hash slot, so a cell is one atomic unit.
-- Rules: validate everything, then write (Redis does not undo a script that errors half way);
-- never write "-0"; only Redis TIME is a clock; a repeated call answers DUP and changes nothing.
local P = string.sub(KEYS[1], 1, -4)
local PART_WINDOWS = 512
local SCHEMA, BEFORE = '3', '2'   -- of the keys; another one in Redis is not touched, but the one before is taken over
local function now() local t = redis.call('TIME'); return t[1] * 1000 + math.floor(t[2] / 1000) end
local function jk(j) return P .. 'j:' .. j end
local function sk(j, w, k) return P .. 's:' .. j .. ':' .. w .. ':' .. k end
local function pk(j, w) return P .. 'p:' .. j .. ':' .. w end
local function qk(j, lane) return P .. 'q:' .. j .. ':' .. lane end
local function bk(b) return P .. 'b:' .. b end
local function lk(lane) return P .. 'lane:' .. lane end
local function budgetk(account, lane) return P .. 'lane:' .. account .. ':' .. lane end
local function waitk(account, lane) return P .. 'wait:' .. account .. ':' .. lane end
local function storek(account) return P .. 'store:' .. account end
local function ratek(account) return P .. 'rate:' .. account end
local function moneyk(j) return P .. 'jm:' .. j end
local function prk(j, part) return P .. 'pr:' .. j .. ':' .. part end
-- Batches wait in sets of their account: co, wk, and run (those to be polled); parts in their site's wk.
local function duek(who, role) return P .. 'due:' .. who .. ':' .. role end
local function batch_duek(account, role, st) return duek(account, role == 'wk' and st == 'RUN' and 'run' or role) end
local function readyk(site) return P .. 'ready:' .. site end
local function backoffk(site) return P .. 'backoff:' .. site end
local function num(x) return tonumber(x) or 0 end
local function whole(n) return string.format('%.0f', n) end
-- The part of a batch's requests that its file asks for.
local function sent_part(asked, n) return asked and num(n) > 0 and math.min(1, asked / n) or 1 end
local function add(key, field, n) if n ~= 0 then redis.call('HINCRBY', key, field, whole(n)) end end
local function fields(key, names)
  local v, h = redis.call('HMGET', key, unpack(names)), {}
  for i = 1, #names do h[names[i]] = v[i] or nil end
  return h
end
-- A counter that is not there when it is 0.
local function count(key, field, n) if redis.call('HINCRBY', key, field, n) == 0 then redis.call('HDEL', key, field) end end

-- The keys of the version before are read as they are: what they lack has a meaning everywhere. From the first claim or job_open
-- of this one on they are of this version, so programs of the one before refuse them.
local function schema_check(found)
  if found and found ~= SCHEMA and found ~= BEFORE then
    return redis.error_reply('SCHEMA this Redis holds jobs of another version of Sheaf')
  end
end
local function schema_raise(found) if found == BEFORE then redis.call('HSET', KEYS[1], 'schema', SCHEMA) end end

-- Something has moved: what kept the job from it is over.
local function trouble_over(j) redis.call('HDEL', jk(j), 'trouble', 'twhy', 'tsince', 'tfail') end

-- One ready entry: exists exactly while its shard is READY and not backing off. Its one value is w:k:a:n:left:by:tk:eo:un:xi,
-- whose first five are what a batch's list of members holds of it.
local function ready_put(j, site, lane, w, k, a, n, left, by, tk, eo, un, xi)
  redis.call('XADD', qk(j, lane), '*', 'e', table.concat({w, k, a, n, left, by, tk, eo or 0, un or left, xi or tk}, ':'))
  redis.call('ZADD', readyk(site), 'NX', 0, j .. '|' .. lane)
end

-- Money is whole nano-units. What is reserved of a job's cap and what it has spent is in its record; by lane, in a hash of its
-- own, are the quotes (CUR:input:cached:output for a million tokens), the work that is not settled (wn lines, wi input tokens,
-- wx the same at most, wo output tokens at most, wu lines that do not say how many they want; `w`: these five are kept, which
-- jobs from before do not do until they are opened again), and what answers have taught: nl lines, ao tokens of their answers;
-- ei input tokens as estimated, ai as counted.
local MARGIN, SHORTEST = 1.15, 1024
-- No amount is more, nor any sum of them: doubles count whole numbers up to here, and HINCRBY further.
local MOST_NANO = 9007199254740992
-- What counted tokens say of estimated ones: as common/tokens/calibration.h, in thousandths.
local function calibrated(estimated, counted)
  if estimated < 1000 then return 1 end
  local permille = math.floor((counted * 1000 + math.floor(estimated / 2)) / estimated)
  return math.max(250, math.min(4000, permille)) / 1000
end
local MONEY = {'q', 'nl', 'ei', 'ai', 'ao', 'wn', 'wi', 'wo', 'wu', 'wx'}
local function lane_money(j, lane)
  local names, m = {}, {}
  for i = 1, #MONEY do names[i] = MONEY[i] .. ':' .. lane end
  local v = redis.call('HMGET', moneyk(j), unpack(names))
  for i = 2, #MONEY do m[MONEY[i]] = math.max(0, num(v[i])) end
  local cur, input, cached, output = string.match(v[1] or '', '^(%u+):(%d+):(%d+):(%d+)$')
  if cur and cur == redis.call('HGET', jk(j), 'cur') then
    m.quote, m.input, m.output = v[1], math.max(tonumber(input), tonumber(cached)), tonumber(output)
  end
  m.scale = calibrated(m.ei, m.ai)
  m.mean = m.nl > 0 and m.ao / m.nl or nil
  m.longest = math.max(SHORTEST, 1.5 * (m.mean or 0))
  return m
end
-- What requests of a lane may cost: the estimate, calibrated, with a margin, and all the output that they ask for.
local function most_cost(m, xi, eo, un)
  if not m.quote then return 0 end
  return math.min(MOST_NANO, math.ceil((xi * m.scale * MARGIN * m.input + (eo + un * m.longest) * m.output) / 1000000))
end
-- What n requests will cost when they are like those that were answered.
local function likely_cost(m, n, tk, eo, un)
  if not m.quote then return 0 end
  local out = m.mean and n * m.mean or eo + un * SHORTEST
  return math.min(MOST_NANO, math.ceil((tk * m.scale * m.input + out * m.output) / 1000000))
end
-- What is added to a sum that is `has`, so that it stays an amount.
local function room_in(has, n) return math.max(0, math.min(n, MOST_NANO - has)) end
local function add_up(key, field, n) add(key, field, room_in(num(redis.call('HGET', key, field)), n)) end
-- So much more of a lane is not settled.
local WORK = {'left', 'tk', 'eo', 'un', 'L', 'xi'}   -- of a shard
local function work_of(h) return {num(h.left), num(h.tk), num(h.eo), tonumber(h.un) or num(h.left), tonumber(h.xi) or num(h.tk)} end
local WORDS = {'wn:', 'wi:', 'wo:', 'wu:', 'wx:'}
local function work_add(j, lane, sign, work)
  if redis.call('HEXISTS', moneyk(j), 'w') == 0 then return end
  for i = 1, #WORDS do add(moneyk(j), WORDS[i] .. lane, sign * work[i]) end
end
local function work_remove(j, h) work_add(j, h.L, -1, work_of(h)) end
-- What is reserved for a batch is free again.
local function reservation_release(bid, j)
  local rsv = num(redis.call('HGET', bk(bid), 'rsv'))
  add(jk(j), 'rsv', -rsv)
  redis.call('HDEL', bk(bid), 'rsv')
end

-- When the next turn of a rate is, and its new theoretical arrival time: at most b calls at once, then one each i ms. Without
-- a limit (i = 0) only a hold delays, and there is no such time.
-- A queue longer than RATE_MAX is never made, so a later time than that says that Redis' clock went back.
local RATE_MAX = 900000
local RATES = {'uploads', 'creates', 'polls'}
local function rate_next(account, rate, i, b, t)
  local h = redis.call('HMGET', ratek(account), rate, rate .. '_til')
  local til = num(h[2])
  if i == 0 then return math.max(t, til) end
  local tat = math.max(t, math.min(num(h[1]), t + RATE_MAX + b * i))
  if til > t then tat = math.max(tat, til + (b - 1) * i) end
  return math.max(t, tat - (b - 1) * i), tat
end
local function rate_took(account, rate, i, tat)
  if tat then redis.call('HSET', ratek(account), rate, whole(tat + i)) end
end

-- A batch that waits for room in its lane is due at once: it may have some now. False when there is none.
local function wake_waiting(account, lane, t)
  local bid = redis.call('ZRANGE', waitk(account, lane), 0, 0)[1]
  if not bid then return false end
  redis.call('ZREM', waitk(account, lane), bid)
  redis.call('HDEL', bk(bid), 'waits')
  redis.call('ZADD', duek(account, 'co'), 'XX', t, 'b:' .. bid)
  return true
end

-- A hold that ends later than this from now is for a person to lift: no batch that ends does.
local FOREVER = 10 * 365 * 24 * 3600 * 1000

-- What an account may not do for a while because its provider said so. Whether there was any such hold.
local function rates_lift(account, t)
  local held = false
  for _, rate in ipairs(RATES) do
    held = num(redis.call('HGET', ratek(account), rate .. '_til')) > t or held
    redis.call('HDEL', ratek(account), rate .. '_til')
  end
  return held
end

-- Until when a batch is put off for longer than any lease and usual wait: its provider asked for that. 0: it is not. The set.
local function batch_parked(bid, t)
  local account = redis.call('HGET', bk(bid), 'A')
  for _, role in ipairs(account and {'co', 'wk', 'run'} or {}) do
    local due = num(redis.call('ZSCORE', duek(account, role), 'b:' .. bid))
    if due > t + RATE_MAX then return due, duek(account, role) end
  end
  return 0
end

-- A person says that things are better: nothing holds the lanes of a job any more, nor the rates of the accounts that use
-- them. How many holds there were.
local function holds_lift(j, t)
  local n = 0
  for _, lane in ipairs(redis.call('SMEMBERS', P .. 'jl:' .. j)) do
    for _, field in ipairs(redis.call('HKEYS', lk(lane))) do
      local account = string.match(field, '^a:(.*)$')
      local held = account and num(redis.call('HGET', budgetk(account, lane), 'hold')) > t
      if account then redis.call('HDEL', budgetk(account, lane), 'hold', 'firm', 'why') end
      while account and wake_waiting(account, lane, t) do held = true end
      if account and rates_lift(account, t) then held = true end
      if held then n = n + 1 end
    end
  end
  for _, bid in ipairs(redis.call('SMEMBERS', P .. 'jb:' .. j)) do
    local due, set = batch_parked(bid, t)
    if due > 0 then redis.call('ZADD', set, t, 'b:' .. bid); n = n + 1 end
  end
  return n
end

-- A create that may have been sent is never taken from who looks for it.
local function is_unsent(st, its) return st == 'BUILD' or (st == 'SUBMIT' and not its) end

-- The job is held or cancelled: what was not sent of it is taken from its holder, who finds it FENCED, and is due at once, so
-- that it gives back what it has reserved. It waits for no room: what is freed wakes others.
local function unsent_recall(j, t)
  for _, bid in ipairs(redis.call('SMEMBERS', P .. 'jb:' .. j)) do
    local h = fields(bk(bid), {'st', 'its', 'A', 'L'})
    if is_unsent(h.st, h.its) then
      redis.call('HDEL', bk(bid), 'lease', 'waits')
      redis.call('ZREM', waitk(h.A, h.L), bid)
      redis.call('ZADD', duek(h.A, 'co'), 'XX', t, 'b:' .. bid)
    end
  end
end

-- Whether a batch may be at the provider: running, or its create may have been sent. Its share of the budget counts as
-- in use there, which is what a refusal of another one is about.
local function at_provider(bid, h, on)
  if (h.at == '1') == on then return end
  local k, sign = budgetk(h.A, h.L), on and 1 or -1
  add(k, 'rb', sign); add(k, 'rt', sign * num(h.tk)); add(k, 'rr', sign * num(h.n))
  if on then redis.call('HSET', bk(bid), 'at', 1) else redis.call('HDEL', bk(bid), 'at') end
end

-- A batch gives back what pack has reserved for it: the provider freed its slot, or never took it. When it has used
-- room there (and was not itself refused for want of it), its lane's hold ends, and one that waits may try.
local function slot_release(bid, h, t)
  local frees = h.at == '1' and not h.over
  at_provider(bid, h, false)
  if h.held ~= '1' then return end
  redis.call('HDEL', bk(bid), 'held')
  local k = budgetk(h.A, h.L)
  add(k, 'ub', -1); add(k, 'ut', -num(h.tk)); add(k, 'ur', -num(h.n))
  add(jk(h.J), 'ub', -1)
  redis.call('ZREM', waitk(h.A, h.L), bid)
  local holds = redis.call('HMGET', k, 'hold', 'firm')
  if frees and num(holds[1]) < t + FOREVER and num(holds[2]) <= t then
    redis.call('HDEL', k, 'hold', 'firm', 'why')
    wake_waiting(h.A, h.L, t)
  end
end
local SLOT = {'held', 'at', 'over', 'A', 'L', 'J', 'tk', 'n'}   -- what slot_release() reads of a record

-- The live batches of a site by account, and those of a job.
local function batches_count(site, j, account, n)
  count(P .. 'acc:' .. site, account, n)
  count(P .. 'ja:' .. j, account, n)
end

-- A batch record ends: what it counts for in the account's storage goes with it.
local function batch_forget(bid)
  local h = fields(bk(bid), {'A', 'S', 'J', 'sf', 'sb'})
  if not h.A then return end
  reservation_release(bid, h.J)
  add(storek(h.A), 'files', -num(h.sf)); add(storek(h.A), 'bytes', -num(h.sb))
  batches_count(h.S, h.J, h.A, -1)
  for _, role in ipairs({'co', 'wk', 'run'}) do redis.call('ZREM', duek(h.A, role), 'b:' .. bid) end
  redis.call('SREM', P .. 'jb:' .. h.J, bid)
  redis.call('DEL', bk(bid))
end

-- Nothing of the batch is at the provider, and nothing was charged: whose account it is does not matter.
local EMPTY = {'st', 'file', 'rem', 'refused', 'fail', 'free', 'tries', 'mem', unpack(SLOT)}
local function is_empty(h)
  if h.file or h.rem or h.refused then return false end
  return h.st == 'BUILD' or h.st == 'CLEAN' or (h.st == 'FETCH' and h.fail and h.free == '1') or false
end

-- Such a batch goes apart: its shards are ready again as they were. A live holder finds it GONE; what it may have
-- uploaded meanwhile belongs to nobody and is removed as such.
local function batch_unpack(bid, h, t)
  local site, shards = redis.call('HGET', bk(bid), 'S'), {}
  for w, k in string.gmatch(h.st ~= 'CLEAN' and h.mem or '', '(%d+):(%d+):%d+:%d+:%d+') do
    local g = fields(sk(h.J, w, k), {'st', 'b', 'L', 'a', 'n', 'left', 'by', 'tk', 'eo', 'un', 'xi'})
    if g.st ~= 'IN' or g.b ~= bid then return redis.error_reply('INVARIANT shard ' .. w .. ':' .. k) end
    shards[#shards + 1] = {w, k, g}
  end
  for _, s in ipairs(shards) do
    local w, k, g = s[1], s[2], s[3]
    redis.call('HSET', sk(h.J, w, k), 'st', 'READY')
    redis.call('HDEL', sk(h.J, w, k), 'b')
    ready_put(h.J, site, g.L, w, k, g.a, g.n, g.left, g.by, g.tk, g.eo, g.un, g.xi)
  end
  slot_release(bid, h, t)
  batch_forget(bid)
  trouble_over(h.J)
end

-- A new generation outranks an earlier one and a cancel of that. The word that refuses it, or nil.
local function generation_begin(j, g)
  local h = redis.call('HMGET', jk(j), 'gen', 'cancel')
  if g < num(h[1]) then return 'STATE' end
  if h[2] and tonumber(h[2]) >= g then return 'ENDED' end
  if h[2] then   -- what was packed only to be settled has no money to be sent with
    for _, bid in ipairs(redis.call('SMEMBERS', P .. 'jb:' .. j)) do
      local b = fields(bk(bid), {'idle', unpack(EMPTY)})
      if b.idle and is_empty(b) and b.st ~= 'CLEAN' then batch_unpack(bid, b, now()) end
    end
  end
  redis.call('HDEL', jk(j), 'cancel')
  redis.call('HSET', jk(j), 'gen', g)
end

-- A part whose shards are all settled, and to which no shard can be added any more, is due for its merge.
local function part_check(j, site, part)
  local h = redis.call('HMGET', P .. 'pt:' .. j, part, 'c' .. part)
  if h[2] and num(h[1]) == 0 and redis.call('HEXISTS', P .. 'pt:' .. j, 'd' .. part) == 0 then
    redis.call('HSET', prk(j, part), 'J', j, 'S', site)
    redis.call('ZADD', duek(site, 'wk'), 'NX', now(), 'p:' .. j .. ':' .. part)
  end
end

local function part_add(j, w, n) add(P .. 'pt:' .. j, tostring(math.floor(w / PART_WINDOWS)), n) end

local function part_close(j, site, part)
  redis.call('HSET', P .. 'pt:' .. j, 'c' .. part, 1)
  part_check(j, site, part)
end

-- A batch or part record by kind ("b" or "p") and id, as the due sets name them.
local function recordk(kind, id)
  if kind == 'b' then return bk(id) end
  local j, part = string.match(id, '^(.*):(%d+)$')
  return prk(j, part)
end

-- {OK, kind, id, now, fields of the record, fields of its job}: what a process that now holds the lease must know.
local function leased(word, kind, id, t)
  local key = recordk(kind, id)
  return {word, kind, id, tostring(t), redis.call('HGETALL', key), redis.call('HGETALL', jk(redis.call('HGET', key, 'J')))}
end

local function job_check_final(j)
  local h = redis.call('HMGET', jk(j), 'st', 'parts', 'pdone')
  if h[1] == 'SEALED' and num(h[2]) == num(h[3]) then
    redis.call('HSET', jk(j), 'st', 'FINAL', 'fin', now())
    redis.call('HDEL', jk(j), 'hold', 'why')
  end
end

-- A shard is settled: forget it, its payload when no other lane of the window needs it, and count its part down.
-- Who calls sees to the job's ok and bad: at the end ok + bad + inv is the number of requests.
local function shard_settle(j, site, w, k)
  local h = fields(sk(j, w, k), WORK)
  if h.L then work_remove(j, h) end
  redis.call('DEL', sk(j, w, k))
  local p = pk(j, w)
  if redis.call('EXISTS', p) == 1 and redis.call('HINCRBY', p, 'left', -1) <= 0 then
    add(jk(j), 'infb', -redis.call('HSTRLEN', p, 'd'))
    redis.call('DEL', p)
  end
  add(jk(j), 'infs', -1)
  add(jk(j), 'done', 1)
  part_add(j, w, -1)
  part_check(j, site, math.floor(w / PART_WINDOWS))
end
