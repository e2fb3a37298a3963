-- Pasted before each script. KEYS[1] is always "sheaf:{cell}:cfg": one hash slot, so a cell is one atomic unit.
-- Rules: validate everything, then write (Redis does not undo a script that errors half way);
-- never write "-0"; only Redis TIME is a clock; a repeated call answers DUP and changes nothing.
local P = string.sub(KEYS[1], 1, -4)
local PART_WINDOWS = 512
local function now() local t = redis.call('TIME'); return t[1] * 1000 + math.floor(t[2] / 1000) end
local function jk(j) return P .. 'j:' .. j end
local function sk(j, w, k) return P .. 's:' .. j .. ':' .. w .. ':' .. k end
local function pk(j, w) return P .. 'p:' .. j .. ':' .. w end
local function qk(j, lane) return P .. 'q:' .. j .. ':' .. lane end
local function bk(b) return P .. 'b:' .. b end
local function lk(lane) return P .. 'lane:' .. lane end
local function prk(j, part) return P .. 'pr:' .. j .. ':' .. part end
local function duek(site, role) return P .. 'due:' .. site .. ':' .. role end
local function readyk(site) return P .. 'ready:' .. site end
local function backoffk(site) return P .. 'backoff:' .. site end
local function num(x) return tonumber(x) or 0 end
local function add(key, field, n) if n ~= 0 then redis.call('HINCRBY', key, field, string.format('%.0f', n)) end end

-- Something has moved: what kept the job from it is over.
local function trouble_over(j) redis.call('HDEL', jk(j), 'trouble', 'twhy', 'tsince') end

-- One ready entry: exists exactly while its shard is READY and not backing off. Its one value is w:k:a:n:left:by:tk,
-- whose first five are what a batch's list of members holds of it.
local function ready_put(j, site, lane, w, k, a, n, left, by, tk)
  redis.call('XADD', qk(j, lane), '*', 'e', table.concat({w, k, a, n, left, by, tk}, ':'))
  redis.call('ZADD', readyk(site), 'NX', 0, j .. '|' .. lane)
end

-- The provider freed the slot of a batch, or never took it. Any batch that ends also ends its lane's hold.
local function slot_release(bid, h)
  if h.held ~= '1' then return end
  redis.call('HDEL', bk(bid), 'held')
  add(lk(h.L), 'ub', -1)
  add(lk(h.L), 'ut', -num(h.tk))
  add(jk(h.J), 'ub', -1)
  redis.call('HDEL', lk(h.L), 'hold', 'why')
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
