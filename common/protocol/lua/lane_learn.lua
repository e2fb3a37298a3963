-- ARGV: account lane bid|'' hold_ms why tokens_pct requests_pct batches_pct file_requests file_bytes firm      0: leave it
-- The provider refuses more of a lane for now. What is in use there without the refused batch is what fits: a cap falls to
-- that share of it, or to half of the batch when there is nothing else (never below what one shard needs: pack sees
-- to it, or asks for a part of one). In use is the larger of what the batch found when its create was sent, and what there is now. -> {OK}
local account, lane, bid, t = ARGV[1], ARGV[2], ARGV[3], now()
local k = budgetk(account, lane)
local b = fields(bk(bid), {'A', 'L', 'st', 'tk', 'n', 'at', 'u0', 'asked'})
local known = bid ~= '' and b.A == account and b.L == lane
local use = redis.call('HMGET', k, 'rb', 'rt', 'rr', 'hold', 'firm')
local found, own = {0, 0, 0}, {0, 0, 0}
if known then
  own = {1, num(b.tk), num(b.n)}
  local ub, ut, ur = string.match(b.u0 or '', '^(%d+):(%d+):(%d+)$')
  found = {num(ub), num(ut), num(ur)}
end
local function learn(field, pct, i)
  local used = math.max(found[i], num(use[i]) - (b.at == '1' and own[i] or 0))
  local cap = used > 0 and used * pct / 100 or own[i] * (i == 1 and 1 or sent_part(b.asked, b.n)) / 2
  if pct == 0 or (used <= 0 and own[i] == 0) then return end
  cap = math.max(1, math.floor(cap))
  local old = redis.call('HGET', k, field)
  if not old or tonumber(old) > cap then redis.call('HSET', k, field, whole(cap)) end
end
local function shrink(field, to)
  local old = redis.call('HGET', k, field)
  if to > 0 and (not old or tonumber(old) > to) then redis.call('HSET', k, field, whole(to)) end
end
redis.call('HSETNX', lk(lane), 'a:' .. account, 1)
learn('capt', tonumber(ARGV[6]), 2)
learn('capr', tonumber(ARGV[7]), 3)
learn('capb', tonumber(ARGV[8]), 1)
shrink('capfr', tonumber(ARGV[9]))
shrink('capfb', tonumber(ARGV[10]))
if ARGV[8] ~= '0' then redis.call('HDEL', k, 'okb') end
if ARGV[9] ~= '0' or ARGV[10] ~= '0' then redis.call('HDEL', k, 'okf') end
if known and b.st ~= 'FETCH' and b.st ~= 'CLEAN' then redis.call('HSET', bk(bid), 'over', 1) end
if tonumber(ARGV[4]) > 0 then
  redis.call('HSET', k, 'hold', whole(math.max(num(use[4]), t + ARGV[4])), 'why', ARGV[5])
  if ARGV[11] == '1' then redis.call('HSET', k, 'firm', whole(math.max(num(use[5]), t + ARGV[4]))) end
end
return {'OK'}
