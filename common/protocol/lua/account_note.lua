-- ARGV: site account overdue_ms trouble      batches of other accounts that are overdue by so much: nobody has their key. Their
-- jobs are told; those of which nothing is at the provider go apart instead. -> {OK, jobs}
local t, n, told = now(), 0, {}
local accounts = redis.call('HKEYS', P .. 'acc:' .. ARGV[1])
for i = 1, math.min(#accounts, 100) do
  for _, role in ipairs(accounts[i] ~= ARGV[2] and {'co', 'wk', 'run'} or {}) do
    for _, m in ipairs(redis.call('ZRANGEBYSCORE', duek(accounts[i], role), '-inf', t - ARGV[3], 'LIMIT', 0, 100)) do
      local bid = string.sub(m, 3)
      local h = string.sub(m, 1, 2) == 'b:' and fields(bk(bid), EMPTY) or {}
      local j = h.J
      if j and is_empty(h) then
        local bad = batch_unpack(bid, h, t)
        if bad then return bad end
      elseif j and not told[j] then
        told[j], n = true, n + 1
        redis.call('HSETNX', jk(j), 'tsince', t)
        redis.call('HSET', jk(j), 'trouble', ARGV[4], 'twhy', 'nobody has the key of account ' .. accounts[i])
      end
    end
  end
end
return {'OK', tostring(n)}
