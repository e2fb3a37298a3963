-- ARGV: site bid nonce lease_ms linger_ms max_req max_bytes lane_batches lane_tokens
-- N ready shards -> 1 sealed batch, atomically: no consumer group, nothing held in a coordinator's memory.
-- Rotates over (job, lane), so a lane that is full or held blocks nobody. The limits are the provider's; the job's own
-- are in its record. A cancelled job's shards are packed too: that settles them should its cancel have stopped half way.
-- -> {OK, 'b', bid, now, fields of the record, fields of its job} | {DUP} | {NONE, ms_until_something_may_change|''}
-- mem: w:k:attempt:n:left,...  in the order of the ready stream.
local site, bid, nonce = ARGV[1], ARGV[2], ARGV[3]
local t, wake = now(), nil
local old = redis.call('HMGET', bk(bid), 'st', 'lease')
if old[1] == 'BUILD' and old[2] == nonce then return leased('OK', 'b', bid, t) end   -- its reply was lost
if old[1] then return {'DUP'} end
local function wait_until(ms) if not wake or ms < wake then wake = ms end end
local WINDOW, PAGE, MISSES, SCAN = 1024, 128, 128, 512

-- Shards whose backoff is over become ready again.
local back = redis.call('ZRANGEBYSCORE', backoffk(site), '-inf', t, 'LIMIT', 0, 256)
for i = 1, #back do
  local j, w, k = string.match(back[i], '^(.*)|(%d+)|(%d+)$')
  local h = redis.call('HMGET', sk(j, w, k), 'st', 'L', 'a', 'n', 'left', 'by', 'tk')
  redis.call('ZREM', backoffk(site), back[i])
  if h[1] == 'READY' then ready_put(j, site, h[2], w, k, h[3], h[4], h[5], h[6], h[7]) end
end
local nb = redis.call('ZRANGE', backoffk(site), 0, 0, 'WITHSCORES')
if nb[2] then wait_until(tonumber(nb[2])) end

-- What this (job, lane) may take now; nil: nothing.
local function room(J, L)
  local j = redis.call('HMGET', jk(J), 'st', 'hold', 'ub', 'maxbat', 'mr', 'mb')
  if (j[1] ~= 'OPEN' and j[1] ~= 'SEALED') or j[2] then return nil end
  if num(j[4]) > 0 and num(j[3]) >= num(j[4]) then return nil end
  local l = redis.call('HMGET', lk(L), 'hold', 'ub', 'ut', 'capb', 'capt')
  if l[1] and tonumber(l[1]) > t then wait_until(tonumber(l[1])); return nil end
  local alive = num(l[2])
  if alive >= math.min(num(ARGV[8]), tonumber(l[4] or ARGV[8])) then return nil end
  local r = {mr = tonumber(ARGV[6]), mb = tonumber(ARGV[7]), open = j[1] == 'OPEN', alive = alive}
  if num(j[5]) > 0 then r.mr = math.min(r.mr, num(j[5])) end
  if num(j[6]) > 0 then r.mb = math.min(r.mb, num(j[6])) end
  r.tokens = math.min(tonumber(ARGV[9]), tonumber(l[5] or ARGV[9])) - num(l[3])
  return r
end

-- First fit over the head of the stream, by what the entries say; nil: nothing fits, or it still lingers.
local function choose(J, L)
  local r = room(J, L)
  if not r then return nil end
  local c = {n = 0, by = 0, tk = 0, id = {}, mem = {}, key = {}, a = {}, skipped = 0}
  local from, seen, misses, enough, since = '-', 0, 0, false, nil
  repeat
    local e = redis.call('XRANGE', qk(J, L), from, '+', 'COUNT', PAGE)
    for i = 1, #e do
      local id, entry = e[i][1], e[i][2][2]
      local mem, w, k, a, en, eb, et = string.match(entry, '^((%d+):(%d+):(%d+):%d+:(%d+)):(%d+):(%d+)$')
      en, eb, et = tonumber(en), tonumber(eb), tonumber(et)
      local fits = c.n + en <= r.mr and c.by + eb <= r.mb and c.tk + et <= r.tokens
      if not fits and #c.id == 0 and (r.alive == 0 or et <= r.tokens) then fits = true end   -- never less than one shard
      if fits then
        local at = #c.id + 1
        c.n = c.n + en; c.by = c.by + eb; c.tk = c.tk + et
        c.id[at], c.mem[at], c.key[at], c.a[at] = id, mem, sk(J, w, k), a
        c.skipped = misses
      else misses = misses + 1 end
      from, since = '(' .. id, since or tonumber(string.match(id, '^(%d+)'))
      enough = c.n >= r.mr or c.by >= r.mb or misses >= MISSES
      if enough then break end
    end
    seen = seen + #e
  until enough or #e < PAGE or seen >= WINDOW
  if #c.id == 0 then return nil end
  local full = enough or misses > 0 or seen >= WINDOW
  if r.open and not full and t < since + ARGV[5] then wait_until(since + ARGV[5]); return nil end
  return c
end

local z = redis.call('ZRANGE', readyk(site), 0, SCAN - 1)
local J, L, c
for i = 1, #z do
  J, L = string.match(z[i], '^(.*)|([^|]*)$')
  c = choose(J, L)
  if c then break end
end
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
redis.call('HSET', bk(bid), 'J', J, 'S', site, 'L', L, 'st', 'BUILD', 'lease', nonce, 'held', 1, 'n', c.n, 'by', c.by, 'tk', c.tk,
  'mem', table.concat(c.mem, ','), 't0', t, 'cl', 1)
add(lk(L), 'ub', 1); add(lk(L), 'ut', c.tk); add(jk(J), 'ub', 1); add(jk(J), 'batches', 1)
redis.call('SADD', P .. 'jb:' .. J, bid)
redis.call('ZADD', duek(site, 'co'), t + ARGV[4], 'b:' .. bid)
return leased('OK', 'b', bid, t)
