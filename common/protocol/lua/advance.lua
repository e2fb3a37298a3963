-- ARGV: bid nonce from to role due_in_ms  field value ...      the one fenced transition of a batch
-- An empty value deletes the field. "@now" is replaced by Redis' time (the intent's stamp).
-- -> {OK|DUP|STATE|FENCED|GONE, st, now}
local k = bk(ARGV[1])
local v = redis.call('HMGET', k, 'lease', 'st', 'L', 'tk', 'J', 'S', 'held')
if not v[2] then return {'GONE', ''} end
if v[1] ~= ARGV[2] then return {'FENCED', v[2]} end
if v[2] ~= ARGV[3] then
  if v[2] == ARGV[4] then return {'DUP', v[2], tostring(now())} end
  return {'STATE', v[2]}
end
local t = now()
local set, del = {'st', ARGV[4]}, {}
for i = 7, #ARGV, 2 do
  local value = ARGV[i + 1]
  if value == '' then del[#del + 1] = ARGV[i]
  else set[#set + 1] = ARGV[i]; set[#set + 1] = value == '@now' and tostring(t) or value end
end
redis.call('HSET', k, unpack(set))
if #del > 0 then redis.call('HDEL', k, unpack(del)) end
if ARGV[4] == 'FETCH' then slot_release(ARGV[1], {held = v[7], L = v[3], tk = v[4], J = v[5]}) end
if ARGV[3] == 'SUBMIT' and ARGV[4] == 'RUN' then trouble_over(v[5]) end
local other = ARGV[5] == 'co' and 'wk' or 'co'
redis.call('ZREM', duek(v[6], other), 'b:' .. ARGV[1])
redis.call('ZADD', duek(v[6], ARGV[5]), t + ARGV[6], 'b:' .. ARGV[1])
return {'OK', ARGV[4], tostring(t)}
