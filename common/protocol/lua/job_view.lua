-- ARGV: J      what a person wants to know of a job; reads only. -> {OK, now, job fields, site fields, {{bid, st .. fail, lane's label hold why}, ...}} | {NOJOB}
local J = ARGV[1]
local j = redis.call('HGETALL', jk(J))
if #j == 0 then return {'NOJOB'} end
local site = redis.call('HGET', jk(J), 'site')
local out, lanes = {}, {}
for _, bid in ipairs(redis.call('SMEMBERS', P .. 'jb:' .. J)) do
  if #out >= 1000 then break end
  local v = redis.call('HMGET', bk(bid), 'st', 'n', 'rem', 'rstat', 'rdone', 'rfail', 'co', 'ob', 'eb', 'L', 't0', 'err', 'ok', 'bad', 'fail')
  if v[1] then
    local row = {bid}
    if not lanes[v[10]] then lanes[v[10]] = redis.call('HMGET', lk(v[10]), 'label', 'hold', 'why') end
    for i = 1, 3 do row[16 + i] = lanes[v[10]][i] or '' end
    for i = 1, 15 do row[i + 1] = v[i] or '' end
    out[#out + 1] = row
  end
end
return {'OK', tostring(now()), j, redis.call('HGETALL', P .. 'site:' .. site), out}
