-- ARGV: (none)      every job, oldest first, up to 10,000; reads only. -> {OK, now, {J, st, hold, n, ok, bad, inv, created, cancel}, ...}
local out = {'OK', tostring(now())}
for _, J in ipairs(redis.call('ZRANGE', P .. 'jobs', 0, 9999)) do
  local v = redis.call('HMGET', jk(J), 'st', 'hold', 'n', 'ok', 'bad', 'inv', 'created', 'cancel')
  local row = {J}
  for i = 1, 8 do row[i + 1] = v[i] or '' end
  out[#out + 1] = row
end
return out
