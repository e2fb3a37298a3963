-- ARGV: bid nonce clean_in_ms cost|'' lines est_input input output  then per member: w k left charged mask by tk eo un xi
-- The evidence of every member is ALREADY durable in the sink. left 0: the shard is settled. Otherwise it is ready again
-- with its mask: at once when nothing was charged, else after min(2^f x poll bound, 5 min). charged -1: it was no try.
-- cost: of all lines of the batch, '' unknown; what was reserved is free again. The next four: how many lines said what they
-- took, input tokens of some as estimated and as counted, and those of their answers.
-- A provider that took the batch and gave results back can take a little more than was learned.
-- -> {OK, settled, requeued} | {DUP|STATE|FENCED|GONE}
local k = bk(ARGV[1])
local h = redis.call('HMGET', k, 'lease', 'st', 'J', 'ok', 'S', 'mem', 'A', 'L', 'tk', 'n', 'by', 'asked', 'q')
if not h[2] then return {'GONE'} end
if h[1] ~= ARGV[2] then return {'FENCED'} end
if h[2] ~= 'FETCH' then if h[2] == 'CLEAN' then return {'DUP'} end return {'STATE', h[2]} end
local J, site, G = h[3], h[5], {}
local _, commas = string.gsub(h[6], ',', ',')
if (#ARGV - 8) / 10 ~= commas + 1 then return redis.error_reply('INVARIANT members of batch ' .. ARGV[1]) end
for i = 9, #ARGV, 10 do
  local g = redis.call('HMGET', sk(J, ARGV[i], ARGV[i + 1]), 'st', 'b', 'a', 'f', 'L', 'left', 'n', 'tk', 'eo', 'un', 'xi')
  if g[1] ~= 'IN' or g[2] ~= ARGV[1] then return redis.error_reply('INVARIANT shard ' .. ARGV[i] .. ':' .. ARGV[i + 1]) end
  G[i] = g
end
local j = redis.call('HMGET', jk(J), 'poll', 'cancel')
local settled, again, tasks, t = 0, 0, 0, now()
for i = 9, #ARGV, 10 do
  local w, sh, left, charged, g = ARGV[i], ARGV[i + 1], tonumber(ARGV[i + 2]), tonumber(ARGV[i + 3]), G[i]
  local s = sk(J, w, sh)
  if left == 0 or j[2] then
    settled = settled + 1
    tasks = tasks + num(g[6])
    shard_settle(J, site, tonumber(w), sh)
  else
    again = again + 1
    tasks = tasks + num(g[6]) - left
    local a, f = whole(g[3] + (charged < 0 and 0 or 1)), g[4] + math.max(charged, 0)
    work_remove(J, {L = g[5], left = g[6], tk = g[8], eo = g[9], un = g[10], xi = g[11]})
    work_add(J, g[5], 1, work_of({left = left, tk = ARGV[i + 6], eo = ARGV[i + 7], un = ARGV[i + 8], xi = ARGV[i + 9]}))
    redis.call('HSET', s, 'st', 'READY', 'a', a, 'f', f, 'm', ARGV[i + 4], 'left', left, 'by', ARGV[i + 5], 'tk', ARGV[i + 6],
      'eo', ARGV[i + 7], 'un', ARGV[i + 8], 'xi', ARGV[i + 9])
    redis.call('HDEL', s, 'b')
    if charged <= 0 then ready_put(J, site, g[5], w, sh, a, g[7], left, ARGV[i + 5], ARGV[i + 6], ARGV[i + 7], ARGV[i + 8], ARGV[i + 9])
    else redis.call('ZADD', backoffk(site), t + math.min(2 ^ f * num(j[1]), 300000), J .. '|' .. w .. '|' .. sh) end
  end
end
-- Settled and not a success: by a bad line, or by none at its last try.
local ok = num(h[4])
add(jk(J), 'ok', ok); add(jk(J), 'bad', tasks - ok); add(jk(J), 'again', again)
if settled > 0 then trouble_over(J) end
reservation_release(ARGV[1], J)
local cur = string.match(h[13] or '', '^(%u+):')
if ARGV[4] ~= '' and cur == redis.call('HGET', jk(J), 'cur') then add_up(jk(J), 'spent', tonumber(ARGV[4]))
else add(jk(J), 'unp', tonumber(ARGV[5])) end
for i, name in ipairs({'nl', 'ei', 'ai', 'ao'}) do add_up(moneyk(J), name .. ':' .. h[8], tonumber(ARGV[4 + i])) end
redis.call('HSET', k, 'st', 'CLEAN')
redis.call('HDEL', k, 'm', 'ok', 'bad')
if ok > 0 then
  local budget, part = budgetk(h[7], h[8]), sent_part(h[12], h[10])
  local tk, n, by = part * num(h[9]), part * num(h[10]), part * num(h[11])
  local grows = h[12] and 4 or 20   -- what is less than a shard is far from what was usual: it comes back sooner
  redis.call('HSET', budget, 'okat', t)
  local c = redis.call('HMGET', budget, 'capt', 'capr', 'capb', 'capfr', 'capfb')
  if c[1] then add(budget, 'capt', math.ceil(tk / grows)) end
  if c[2] then add(budget, 'capr', math.ceil(n / grows)) end
  if c[3] and redis.call('HINCRBY', budget, 'okb', 1) >= 20 then redis.call('HDEL', budget, 'okb'); add(budget, 'capb', 1) end
  local full = (c[4] and n >= 0.9 * c[4]) or (c[5] and by >= 0.9 * c[5])
  if full and redis.call('HINCRBY', budget, 'okf', 1) >= 10 then
    redis.call('HDEL', budget, 'okf')
    if c[4] then add(budget, 'capfr', math.ceil(c[4] / 20)) end
    if c[5] then add(budget, 'capfb', math.ceil(c[5] / 20)) end
  end
end
redis.call('ZADD', duek(h[7], 'wk'), t + ARGV[3], 'b:' .. ARGV[1])
return {'OK', tostring(settled), tostring(again)}
