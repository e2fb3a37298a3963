-- ARGV: J account|'' max      batches of J of which nothing is at the provider go apart, and their shards are ready again: those
-- that could not be uploaded, those that nobody has taken up for long, and those of another account than the given one.
-- -> {OK|MORE|NOJOB, unpacked}
local J, account, left = ARGV[1], ARGV[2], tonumber(ARGV[3])
local LONG = 60000
if redis.call('EXISTS', jk(J)) == 0 then return {'NOJOB'} end
local t, n = now(), 0
local function is_stranded(bid, h)
  if account ~= '' and h.A ~= account then return true end
  if h.st == 'BUILD' and num(h.tries) > 0 then return true end
  for _, role in ipairs({'co', 'wk'}) do
    local due = redis.call('ZSCORE', duek(h.A, role), 'b:' .. bid)
    if due and num(due) < t - LONG then return true end
  end
  return false
end
for _, bid in ipairs(redis.call('SMEMBERS', P .. 'jb:' .. J)) do
  local h = fields(bk(bid), EMPTY)
  if is_empty(h) and is_stranded(bid, h) then
    if n == left then return {'MORE', tostring(n)} end
    local bad = batch_unpack(bid, h, t)
    if bad then return bad end
    n = n + 1
  end
end
return {'OK', tostring(n)}
